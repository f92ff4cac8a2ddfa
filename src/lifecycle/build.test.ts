import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { BuildMetadata, GroupMember, Plan } from '#cnb'
import { type BuildOptions, build } from './build.ts'
import { openWorkshop, type ShellBuildpack, VERSION, type Workshop } from './shell-buildpacks.testing.ts'

describe('building', () => {
  let shop: Workshop
  let members: GroupMember[]
  beforeEach(async () => {
    shop = await openWorkshop()
    members = []
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  /** Adds a buildpack whose bin/build finds its layers directory as `$1`. */
  const add = async (id: string, script: string, more: ShellBuildpack = {}) => {
    const { descriptor } = await shop.add(id, { ...more, build: script })
    members.push({ id: descriptor.id, version: descriptor.version, api: descriptor.api })
  }
  const run = (more: Partial<BuildOptions> = {}): Promise<BuildMetadata> =>
    build({ ...shop, group: { buildpacks: members, extensions: [] }, plan: [], ...more })
  const layers = (...path: string[]) => join(shop.places.layers.host, ...path)
  const read = (...path: string[]) => readFile(layers(...path), 'utf8')

  /** `layer a build env/X=1 bin/` makes a layer of those types with those files and directories. */
  const layer = (name: string, types: string, ...files: string[]) => {
    const flags = types
      .split(' ')
      .filter(type => type !== '')
      .map(type => `${type} = true\\n`)
    const making = files.map(file => {
      const [path = '', content] = file.split(/=(.*)/s)
      const at = `"$1/${name}/${path}"`
      return content === undefined
        ? `mkdir -p ${at}`
        : `mkdir -p "$(dirname ${at})"; printf '%s' '${content}' > ${at}`
    })
    return [
      `mkdir -p "$1/${name}"`,
      `printf '[types]\\n${flags.join('')}' > "$1/${name}.toml"`,
      ...making,
    ].join('\n')
  }
  const file = (name: string, content: string) => `cat > "$1/${name}" <<'END'\n${content}\nEND`

  describe('the environment', () => {
    it('gains the build layers of the buildpacks before, and only those', async () => {
      await add(
        'acme/a',
        [
          layer(
            'a',
            'build',
            'bin/',
            'lib/',
            'include/',
            'pkgconfig/',
            'env/A=env',
            'env.build/A.append=+build',
          ),
          layer('a-b', 'build cache', 'bin/', 'env.launch/L=x', 'env/M.default=m'),
          layer('l', 'launch', 'bin/', 'env/NO=x'),
          'mkdir -p "$1/loose/bin"',
        ].join('\n'),
      )
      await add('acme/b', layer('z', 'build', 'bin/', 'env/A.prepend=b', 'env/A.delim=:'))
      await add('acme/c', '')
      await run()
      const [first, second, third] = shop.executions.map(({ env }) => env)
      assert.equal(first?.A, undefined)
      const a = (path: string) => layers('acme_a', path)
      // Files are read in the order a-b.toml, a.toml; what is read later stands first.
      const path = `${a('a/bin')}:${a('a-b/bin')}:/usr/bin:/bin`
      assert.deepEqual(
        [second?.PATH, second?.A, second?.M, second?.L, second?.NO],
        [path, 'env+build', 'm', undefined, undefined],
      )
      const { LD_LIBRARY_PATH, LIBRARY_PATH, CPATH, PKG_CONFIG_PATH } = second ?? {}
      assert.deepEqual(
        [LD_LIBRARY_PATH, LIBRARY_PATH, CPATH, PKG_CONFIG_PATH],
        [a('a/lib'), a('a/lib'), a('a/include'), a('a/pkgconfig')],
      )
      assert.deepEqual([third?.PATH, third?.A], [`${layers('acme_b/z/bin')}:${path}`, 'b:env+build'])
    })

    it("lets the user's variables win over layers, and the operator's over both", async () => {
      await shop.write('platform/env/A', 'user')
      await shop.write('platform/env/PATH', '/user')
      await shop.write('build-config/env/B.override', 'operator')
      await add('acme/a', layer('x', 'build', 'bin/', 'env/A=layer', 'env/B=layer'))
      await add('acme/b', '')
      await add('acme/clear', '', { toml: 'clear-env = true' })
      await run()
      const bin = layers('acme_a/x/bin')
      assert.deepEqual(
        shop.executions.slice(1).map(({ env }) => [env.A, env.B, env.PATH]),
        [
          ['user', 'operator', `/user:${bin}:/usr/bin:/bin`],
          ['layer', 'operator', `${bin}:/usr/bin:/bin`],
        ],
      )
    })

    it('names the places of the specification, and may write only to the app and its own layers', async () => {
      await add('acme/a', '[ "$PWD" = "$APP" ]; [ "$CNB_LAYERS_DIR" = "$1" ]; [ -f "$3" ]')
      await shop.write('platform/env/APP', shop.places.app.inside)
      await run()
      const [execution] = shop.executions
      const { CNB_LAYERS_DIR, CNB_PLATFORM_DIR, CNB_BP_PLAN_PATH, CNB_BUILD_PLAN_PATH, CNB_TARGET_OS } =
        execution?.env ?? {}
      assert.deepEqual(execution?.command.slice(1), [CNB_LAYERS_DIR, CNB_PLATFORM_DIR, CNB_BP_PLAN_PATH])
      assert.deepEqual([CNB_BUILD_PLAN_PATH, CNB_TARGET_OS], [undefined, 'linux'])
      assert.deepEqual(execution?.writable.slice(0, 2), [
        shop.places.app,
        { host: layers('acme_a'), inside: layers('acme_a') },
      ])
    })
  })

  describe('the plan', () => {
    const provider = (id: string) => ({ id, version: VERSION })
    const entry = (name: string, ...ids: string[]) => ({
      providers: ids.map(provider),
      requires: [{ name, metadata: { version: '21' } }],
    })
    const plan: Plan = [entry('jdk', 'acme/a', 'acme/b'), entry('maven', 'acme/b')]
    const copy = 'cp "$3" "$1/../../plan-$(basename "$1")"'
    const plans = async () =>
      Promise.all(['acme_a', 'acme_b'].map(id => readFile(join(shop.path, `plan-${id}`), 'utf8')))

    it('of each buildpack has what it provides and nobody met before', async () => {
      await add('acme/a', copy)
      await add('acme/b', copy)
      await run({ plan })
      assert.deepEqual(await plans(), [
        '[[entries]]\nname = "jdk"\n\n[entries.metadata]\nversion = "21"\n',
        '[[entries]]\nname = "maven"\n\n[entries.metadata]\nversion = "21"\n',
      ])
    })

    it('passes on what a buildpack calls unmet', async () => {
      await add('acme/a', [copy, file('build.toml', '[[unmet]]\nname = "jdk"')].join('\n'))
      await add('acme/b', copy)
      await run({ plan })
      assert.match((await plans())[1] ?? '', /"jdk"[\s\S]*"maven"/)
    })
  })

  describe('what buildpacks ask of the image', () => {
    const web = (command: string, isDefault = false) =>
      file('launch.toml', `[[processes]]\ntype = "web"\ncommand = ["${command}"]\ndefault = ${isDefault}`)

    it('is returned, and written for the launcher', async () => {
      const labels = '[[labels]]\nkey = "k"\nvalue = "'
      await add(
        'acme/a',
        file(
          'launch.toml',
          `${labels}1"\n[[processes]]\ntype = "b"\ncommand = ["x"]\n[[slices]]\npaths = ["p"]`,
        ),
      )
      await add(
        'acme/b',
        file('launch.toml', `${labels}2"\n[[processes]]\ntype = "a"\ncommand = ["y"]\ndefault = true`),
      )
      const metadata = await run()
      assert.deepEqual(metadata, {
        buildpacks: members,
        extensions: [],
        labels: [
          { key: 'k', value: '1' },
          { key: 'k', value: '2' },
        ],
        processes: [
          { type: 'a', command: ['y'], args: [], direct: true, execEnv: [], buildpackId: 'acme/b' },
          { type: 'b', command: ['x'], args: [], direct: true, execEnv: [], buildpackId: 'acme/a' },
        ],
        slices: [{ paths: ['p'] }],
        defaultProcessType: 'a',
      })
      assert.match(await read('config/metadata.toml'), /^buildpack-default-process-type = "a"$/m)
    })

    it('takes the last process of a type; one that is no default takes the default away', async () => {
      await add('acme/a', web('a', true))
      await add('acme/b', web('b'))
      const { processes, defaultProcessType } = await run()
      assert.deepEqual([processes.map(({ command }) => command), defaultProcessType], [[['b']], undefined])
      assert.match(shop.report.lines.join('\n'), /Warning: acme\/b@1.0.0 redefines the default process web/)
    })

    it('is nothing where there is nothing', async () => {
      await add('acme/a', '')
      await run()
      assert.match(await read('config/metadata.toml'), /^processes = \[\]$/m)
      assert.deepEqual(await readdir(layers('acme_a')), [])
    })
  })

  it('sets aside layers that are for nothing', async () => {
    await add(
      'acme/a',
      [layer('none', '', 'f=1'), layer('some', 'cache', 'f=1'), 'mkdir "$1/loose"'].join('\n'),
    )
    await run()
    assert.deepEqual(await readdir(layers('acme_a')), [
      'loose',
      'none.ignore',
      'none.toml',
      'some',
      'some.toml',
    ])
  })

  it('shows what buildpacks print, errors too, as it comes', async () => {
    await add('acme/a', 'echo out; echo err >&2')
    await run()
    assert.deepEqual(
      shop.report.lines.filter(line => line === 'out' || line === 'err'),
      ['out', 'err'],
    )
  })

  describe('bills of materials', () => {
    const toml = 'sbom-formats = ["application/vnd.cyclonedx+json; version=1.4", "application/spdx+json"]'

    it('go to the part of the image or the cache that they are about', async () => {
      const script = [
        layer('l', 'launch cache', 'f=1'),
        layer('b.x', 'build', 'f=1'),
        ...[
          'launch.sbom.cdx.json',
          'build.sbom.spdx.json',
          'l.sbom.cdx.json',
          'b.x.sbom.cdx.json',
          'gone.sbom.cdx.json',
        ].map(name => file(name, name)),
      ].join('\n')
      await add('acme/a', script, { toml })
      await run()
      const found = await readdir(layers('sbom'), { recursive: true, withFileTypes: true })
      const files = found.filter(each => each.isFile()).map(each => join(each.parentPath, each.name))
      assert.deepEqual(files.map(path => path.slice(layers('sbom/').length)).toSorted(), [
        'build/acme_a/b.x/sbom.cdx.json',
        'build/acme_a/sbom.spdx.json',
        'build/sbom.legacy.json',
        'cache/acme_a/l/sbom.cdx.json',
        'launch/acme_a/l/sbom.cdx.json',
        'launch/acme_a/sbom.cdx.json',
        'launch/sbom.legacy.json',
      ])
      assert.equal(await read('sbom/launch/acme_a/sbom.cdx.json'), 'launch.sbom.cdx.json\n')
      assert.equal(await read('sbom/launch/sbom.legacy.json'), 'null\n')
    })

    it('of old buildpacks are kept as they were', async () => {
      await add('acme/a', file('launch.toml', '[[bom]]\nname = "jre"\n[bom.metadata]\nb = 1\na = "<"'), {
        api: '0.8',
      })
      await run()
      assert.equal(
        await read('sbom/launch/sbom.legacy.json'),
        '[{"name":"jre","metadata":{"a":"\\u003c","b":1},"buildpack":{"id":"acme/a","version":"1.0.0"}}]\n',
      )
    })
  })

  describe('a buildpack that fails', () => {
    const failures: [string, string, string, number, RegExp][] = [
      ['by its exit code', 'exit 3', 'BUILDPACK_FAILED', 51, /exit code 3/],
      ['by a signal', 'kill -9 $$', 'BUILDPACK_FAILED', 51, /SIGKILL/],
      [
        'with a broken layer.toml',
        file('x.toml', '[['),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /x\.toml of acme\/a@1\.0\.0.*line 1/,
      ],
      [
        'with old flags',
        file('x.toml', 'launch = true'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /outside \[types\]/,
      ],
      [
        'with a broken launch.toml',
        file('launch.toml', 'processes = 1'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /launch\.toml/,
      ],
      [
        'with a process type of blanks',
        file('launch.toml', '[[processes]]\ntype = " "\ncommand = ["a"]'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /process type/,
      ],
      ['with a broken store.toml', file('store.toml', 'x'), 'BUILDPACK_OUTPUT_INVALID', 52, /store\.toml/],
      [
        'with an unmet dependency of nobody',
        file('build.toml', '[[unmet]]\nname = "x"'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /"x" unmet/,
      ],
      [
        'with a bill that it did not declare',
        file('launch.sbom.cdx.json', '{}'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /sbom-formats/,
      ],
      [
        'with a bill of no known format',
        file('launch.sbom.foo.json', '{}'),
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /cdx\.json/,
      ],
      [
        'with a link as layer.toml',
        'ln -s /etc/hostname "$1/x.toml"',
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /symbolic link/,
      ],
      [
        'with a link as launch.toml',
        'ln -s /etc/hostname "$1/launch.toml"',
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /symbolic link/,
      ],
      [
        'with a pipe as launch.toml',
        'mkfifo "$1/launch.toml"',
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /no plain file/,
      ],
      [
        'with an endless launch.toml',
        'truncate -s 9G "$1/launch.toml"',
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /larger than/,
      ],
      [
        'with a directory as build.toml',
        'mkdir "$1/build.toml"',
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /no plain file/,
      ],
      [
        'with bytes that are no text',
        `printf '\\377' > "$1/x.toml"`,
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /UTF-8/,
      ],
      [
        'with a name for the terminal',
        `: > "$1/$(printf 'a\\033[2J').toml"`,
        'BUILDPACK_OUTPUT_INVALID',
        52,
        /control characters/,
      ],
    ]
    for (const [how, script, code, exitCode, why] of failures) {
      it(`${how} ends the build with code ${exitCode}`, async () => {
        await add('acme/a', script)
        await add('acme/b', ': > "$1/ran"')
        await assert.rejects(run(), { code, exitCode, message: why })
        assert.ok(!existsSync(layers('acme_b/ran')))
        assert.ok(!existsSync(`${shop.places.layers.host}-scratch`))
      })
    }

    it('by being gone ends the build with code 52', async () => {
      await add('acme/a', '')
      const find = async () => undefined
      await assert.rejects(run({ buildpacks: { find } }), { code: 'BUILDPACK_MISSING', exitCode: 52 })
    })
  })

  describe('a buildpack that lays traps', () => {
    it('cannot have us read through links in its env directories', async () => {
      const secret = join(shop.path, 'secret')
      await writeFile(secret, 'secret')
      await add(
        'acme/a',
        [
          layer('x', 'build', 'env/OK=1', 'env/sub/X=1', 'data=inside'),
          `ln -s ${secret} "$1/x/env/ABSOLUTE"; ln -s ../../../../secret "$1/x/env/RELATIVE"`,
          'ln -s ../data "$1/x/env/INSIDE"; ln -s nowhere "$1/x/env/DANGLING"',
          `mkdir -p "$1/y"; printf '[types]\\nbuild = true\\n' > "$1/y.toml"; ln -s ${shop.path} "$1/y/env"`,
          `printf '[types]\\nbuild = true\\n' > "$1/z.toml"; ln -s ${shop.path} "$1/z"`,
        ].join('\n'),
      )
      await add('acme/b', '')
      await run()
      const { ABSOLUTE, RELATIVE, INSIDE, DANGLING, OK, secret: leaked } = shop.executions[1]?.env ?? {}
      assert.deepEqual(
        [ABSOLUTE, RELATIVE, INSIDE, DANGLING, OK, leaked],
        [undefined, undefined, 'inside', undefined, '1', undefined],
      )
    })

    it('cannot have us write through links that it puts where ours go', async () => {
      const elsewhere = join(shop.path, 'elsewhere')
      await mkdir(join(elsewhere, 'launch'), { recursive: true })
      const traps = ['config', 'sbom', 'acme_b'].map(
        name => `rm -rf "$1/../${name}"; ln -s ${elsewhere} "$1/../${name}"`,
      )
      await add('acme/a', traps.slice(0, 2).join('\n'))
      await run()
      assert.deepEqual(await readdir(elsewhere, { recursive: true }), ['launch'])
      assert.match(await read('config/metadata.toml'), /acme\/a/)

      members = []
      await add('acme/trap', traps[2] ?? '')
      await add('acme/b', ': > "$1/x"')
      await assert.rejects(run(), { code: 'BUILDPACK_FILE_REFUSED', exitCode: 52 })
      assert.deepEqual(await readdir(elsewhere, { recursive: true }), ['launch'])
    })
  })

  it('ends when it is told to', async () => {
    const abort = new AbortController()
    await add('acme/a', 'exec sleep 60')
    const building = run({
      signal: abort.signal,
      executor: {
        run(execution) {
          const running = shop.executor.run(execution)
          setImmediate(() => abort.abort())
          return running
        },
      },
    })
    await assert.rejects(building, { name: 'AbortError' })
  })
})
