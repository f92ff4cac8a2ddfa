import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Order } from '#cnb'
import { type DetectOptions, detect } from './detect.ts'
import { DetectFailure } from './detect-failure.ts'
import { openWorkshop, orderOf, type Workshop } from './shell-buildpacks.testing.ts'

describe('detection', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const run = (order: Order, more: Partial<DetectOptions> = {}) => detect({ ...shop, order, ...more })
  const idsOf = async (order: Order, more: Partial<DetectOptions> = {}) =>
    (await run(order, more)).group.buildpacks.map(({ id }) => id).join(' ')
  const failureOf = async (order: Order, more: Partial<DetectOptions> = {}): Promise<DetectFailure> => {
    const failure = await run(order, more).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(failure instanceof DetectFailure, String(failure))
    return failure
  }

  const fail = (words = '') => `echo '${words}'; exit 100`
  const provides = (name: string) => `printf '[[provides]]\\nname = "${name}"\\n' >> "$2"`
  const requires = (name: string) => `printf '[[requires]]\\nname = "${name}"\\n' >> "$2"`

  describe('detect', () => {
    it('chooses the first group that passes, says who takes part, and writes it down', async () => {
      await shop.add('acme/no', { detect: fail() })
      await shop.add('acme/jdk', { detect: provides('jdk'), toml: 'homepage = "https://jdk.example"' })
      await shop.add('acme/maven', { detect: requires('jdk') })
      await shop.add('acme/x', { detect: fail() })
      const { group, plan } = await run(orderOf('acme/no', 'acme/jdk acme/x? acme/maven'))
      assert.deepEqual(
        shop.report.lines.filter(line => /participating|^acme/.test(line)),
        ['2 of 3 buildpacks participating', 'acme/jdk   1.0.0', 'acme/maven 1.0.0'],
      )
      assert.deepEqual(plan, [
        { providers: [{ id: 'acme/jdk', version: '1.0.0' }], requires: [{ name: 'jdk', metadata: {} }] },
      ])
      assert.deepEqual(group.buildpacks[0], {
        id: 'acme/jdk',
        version: '1.0.0',
        api: '0.12',
        homepage: 'https://jdk.example',
      })
      const written = async (name: string) => readFile(join(shop.places.layers.host, name), 'utf8')
      assert.match(await written('group.toml'), /^id = "acme\/jdk"$/m)
      assert.match(await written('plan.toml'), /^name = "jdk"$/m)
    })

    it('says nothing of numbers where all take part', async () => {
      await shop.add('acme/a')
      await run(orderOf('acme/a'))
      assert.ok(shop.report.lines.includes('acme/a 1.0.0'))
      assert.doesNotMatch(shop.report.lines.join('\n'), /participating/)
      assert.equal(await readFile(join(shop.places.layers.host, 'plan.toml'), 'utf8'), '')
    })

    it('runs each bin/detect once, however many groups it is in', async () => {
      await shop.add('acme/a')
      await shop.add('acme/no', { detect: fail() })
      await shop.add('acme/b')
      assert.equal(await idsOf(orderOf('acme/a acme/no', 'acme/no acme/a', 'acme/a acme/b')), 'acme/a acme/b')
      assert.deepEqual(shop.executions.map(({ buildpack }) => buildpack.descriptor.id).toSorted(), [
        'acme/a',
        'acme/b',
        'acme/no',
      ])
    })

    it('runs the buildpacks of a group at the same time', async () => {
      const wait = (own: string, other: string) => `: > ${own}; until [ -e ${other} ]; do sleep 0.01; done`
      await shop.add('acme/a', { detect: wait(`${shop.path}/a`, `${shop.path}/b`) })
      await shop.add('acme/b', { detect: wait(`${shop.path}/b`, `${shop.path}/a`) })
      assert.equal(await idsOf(orderOf('acme/a acme/b')), 'acme/a acme/b')
    })

    it('runs no more at once than it is told', async () => {
      for (const id of ['acme/a', 'acme/b', 'acme/c']) {
        await shop.add(id, { detect: `mkdir ${shop.path}/lock && sleep 0.02 && rmdir ${shop.path}/lock` })
      }
      assert.equal(await idsOf(orderOf('acme/a acme/b acme/c'), { atOnce: 1 }), 'acme/a acme/b acme/c')
    })

    it('takes the first of two buildpacks with one id', async () => {
      await shop.add('acme/a')
      assert.equal(await idsOf(orderOf('acme/a acme/a')), 'acme/a')
    })
  })

  describe('a composite buildpack', () => {
    const composite = (...groups: string[]) => ({
      toml: groups
        .map(group => {
          const entries = group.split(' ').map(name => {
            const optional = name.endsWith('?')
            return `[[order.group]]\nid = "${name.replace('?', '')}"\nversion = "1.0.0"\noptional = ${optional}\n`
          })
          return `[[order]]\n${entries.join('')}`
        })
        .join(''),
    })
    beforeEach(async () => {
      for (const id of ['acme/a', 'acme/b', 'acme/c']) await shop.add(id)
      await shop.add('acme/no', { detect: fail() })
    })

    it('is replaced by its groups, one after the other, in front of what follows', async () => {
      await shop.add('acme/set', composite('acme/a acme/no', 'acme/b'))
      assert.equal(await idsOf(orderOf('acme/set acme/c')), 'acme/b acme/c')
    })

    it('falls away where it is optional and no group of it passes', async () => {
      await shop.add('acme/set', composite('acme/no'))
      assert.equal(await idsOf(orderOf('acme/set? acme/c')), 'acme/c')
      assert.equal((await failureOf(orderOf('acme/set acme/c'))).exitCode, 20)
    })

    it('may hold others, but not itself', async () => {
      await shop.add('acme/inner', composite('acme/a'))
      await shop.add('acme/set', composite('acme/inner acme/b?'))
      assert.equal(await idsOf(orderOf('acme/set')), 'acme/a acme/b')
      await shop.add('acme/loop', composite('acme/loop'))
      await assert.rejects(run(orderOf('acme/loop')), { code: 'ORDER_TOO_DEEP', exitCode: 22 })
    })

    it('that names what is not there ends detection', async () => {
      await shop.add('acme/set', composite('acme/gone'))
      await assert.rejects(run(orderOf('acme/set')), { code: 'BUILDPACK_MISSING', exitCode: 22 })
      await assert.rejects(run(orderOf('acme/gone')), { code: 'BUILDPACK_MISSING', exitCode: 1 })
    })
  })

  describe('who is left out', () => {
    it('are buildpacks for other bases: required ones end their group, optional ones do not', async () => {
      await shop.add('acme/arm', { toml: '[[targets]]\narch = "arm64"' })
      await shop.add('acme/a')
      const failure = await failureOf(orderOf('acme/arm acme/a'))
      assert.equal(failure.exitCode, 21)
      assert.match(failure.why, /acme\/arm@1.0.0 {2}is for arm64, not for linux\/amd64 debian 13/)
      assert.equal(await idsOf(orderOf('acme/arm? acme/a')), 'acme/a')
      assert.ok(shop.executions.every(({ buildpack }) => buildpack.descriptor.id === 'acme/a'))
    })

    it('are buildpacks for other execution environments, since the APIs that know of them', async () => {
      await shop.add('acme/test', { toml: 'exec-env = ["test"]' })
      await shop.add('acme/old', { api: '0.11', toml: 'exec-env = ["test"]' })
      await shop.add('acme/a')
      const order = orderOf('acme/test acme/old acme/a')
      assert.equal(await idsOf(order), 'acme/old acme/a')
      assert.equal(await idsOf(order, { execEnv: 'test' }), 'acme/test acme/old acme/a')
      assert.equal(await idsOf(order, { platformApi: '0.14' }), 'acme/test acme/old acme/a')
      const [group = []] = orderOf('acme/a acme/old')
      const entries = group.map(entry => (entry.id === 'acme/old' ? { ...entry, execEnv: ['test'] } : entry))
      assert.equal(await idsOf([entries]), 'acme/a')
    })
  })

  describe('a failed detection', () => {
    it('says what every buildpack said last, and what it looks for', async () => {
      const toml = '[metadata.slipway]\nfiles = ["pom.xml"]'
      await shop.add('acme/maven', { detect: fail('looking\n\u001b[31mno pom.xml here\u001b[0m\n\n'), toml })
      await shop.add('acme/npm', { detect: 'exit 100', toml: '[metadata.slipway]\nfiles = ["package.json"]' })
      await shop.add('acme/ok')
      const failure = await failureOf(orderOf('acme/maven', 'acme/ok acme/npm'))
      assert.equal(failure.exitCode, 20)
      assert.equal(
        failure.why,
        'these did not find what they look for:\nacme/maven@1.0.0  no pom.xml here\nacme/npm@1.0.0    looks for package.json',
      )
      assert.deepEqual(failure.attempts, [
        {
          id: 'acme/maven',
          version: '1.0.0',
          wantedFiles: ['pom.xml'],
          result: 'failed',
          words: 'no pom.xml here',
        },
        { id: 'acme/ok', version: '1.0.0', wantedFiles: [], result: 'passed', words: '' },
        { id: 'acme/npm', version: '1.0.0', wantedFiles: ['package.json'], result: 'failed', words: '' },
      ])
    })

    it('has exit code 21 if a buildpack erred, and shows all that it said', async () => {
      await shop.add('acme/bad', { detect: 'echo first; echo last >&2; exit 3' })
      const failure = await failureOf(orderOf('acme/bad'))
      assert.equal(failure.exitCode, 21)
      assert.match(failure.why, /acme\/bad@1.0.0 {2}failed: it ended with exit code 3; last/)
      assert.match(failure.fix, /--verbose/)
      assert.ok(shop.report.lines.includes('first\nlast'))
    })

    it('says what does not fit together', async () => {
      await shop.add('acme/a', { detect: requires('jdk') })
      const failure = await failureOf(orderOf('acme/a'))
      assert.deepEqual(
        [failure.exitCode, failure.why],
        [20, 'these do not fit together:\nacme/a requires jdk, which no buildpack before it provides'],
      )
    })

    it('is one where only optional buildpacks would have been left', async () => {
      await shop.add('acme/no', { detect: fail() })
      assert.equal((await failureOf(orderOf('acme/no?'))).exitCode, 20)
      assert.equal((await failureOf([])).why, 'the order names no buildpacks for this build')
    })

    it('is not one where an optional buildpack errs', async () => {
      await shop.add('acme/bad', { detect: 'kill -9 $$' })
      await shop.add('acme/a')
      assert.equal(await idsOf(orderOf('acme/bad? acme/a')), 'acme/a')
    })

    const nonsense: [string, string][] = [
      ['is no TOML', `echo '[[' > "$2"`],
      ['has a version of its own', `printf '[[requires]]\\nname = "a"\\nversion = "1"\\n' > "$2"`],
      ['is a link', `ln -sf /etc/hostname "$2"`],
      ['is a pipe', `rm "$2"; mkfifo "$2"`],
      ['is no text', `printf '\\377' > "$2"`],
      ['is endless', `truncate -s 1G "$2"`],
    ]
    for (const [what, script] of nonsense) {
      it(`is what a plan leads to that ${what}`, async () => {
        await shop.add('acme/bad', { detect: script })
        assert.equal((await failureOf(orderOf('acme/bad'))).exitCode, 21)
      })
    }
  })

  describe('bin/detect', () => {
    const dump =
      'env > "$CNB_BUILDPACK_DIR/env"; pwd > "$CNB_BUILDPACK_DIR/cwd"; echo "$@" > "$CNB_BUILDPACK_DIR/args"'
    const read = (name: string) => readFile(join(shop.path, 'buildpacks/acme_a', name), 'utf8')
    const variables = async () =>
      Object.fromEntries((await read('env')).split('\n').map(line => line.split(/=(.*)/s).slice(0, 2)))

    it('is handed the paths, the target and the environment of its API', async () => {
      const { root } = await shop.add('acme/a', { detect: dump })
      await run(orderOf('acme/a'), { execEnv: 'test', target: { ...shop.target, variant: 'v2' } })
      const { PWD, OLDPWD, SHLVL, _, ...env } = await variables()
      const [platform, plan] = (await read('args')).trim().split(' ')
      assert.deepEqual(env, {
        '': undefined,
        PATH: '/usr/bin:/bin',
        HOME: '/home/cnb',
        CNB_BUILDPACK_DIR: root.inside,
        CNB_PLATFORM_DIR: shop.places.platform.inside,
        CNB_BUILD_PLAN_PATH: plan,
        CNB_TARGET_OS: 'linux',
        CNB_TARGET_ARCH: 'amd64',
        CNB_TARGET_ARCH_VARIANT: 'v2',
        CNB_TARGET_DISTRO_NAME: 'debian',
        CNB_TARGET_DISTRO_VERSION: '13',
        CNB_EXEC_ENV: 'test',
      })
      assert.equal(platform, shop.places.platform.inside)
      assert.equal((await read('cwd')).trim(), shop.places.app.inside)
    })

    const since: [string, '0.7' | '0.8' | '0.9' | '0.10' | '0.11' | '0.12'][] = [
      ['CNB_BUILDPACK_DIR', '0.7'],
      ['CNB_PLATFORM_DIR', '0.8'],
      ['CNB_BUILD_PLAN_PATH', '0.8'],
      ['CNB_TARGET_OS', '0.10'],
      ['CNB_EXEC_ENV', '0.12'],
    ]
    for (const api of ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12']) {
      it(`of API ${api} is handed only what that API knows`, async () => {
        const { descriptor } = await shop.add('acme/a', { api })
        await run(orderOf('acme/a'))
        const env = shop.executions[0]?.env ?? {}
        for (const [name, first] of since) {
          const known = Number(descriptor.api.split('.')[1]) >= Number(first.split('.')[1])
          assert.equal(name in env, known, name)
        }
      })
    }

    it("gets the user's and the operator's variables, and with clear-env only the latter", async () => {
      await shop.write('platform/env/MINE', 'user\n')
      await shop.write('platform/env/PATH', '/user/bin')
      await shop.write('platform/env/BOTH', 'user')
      await shop.write('build-config/env/THEIRS', 'operator')
      await shop.write('build-config/env/BOTH', 'operator')
      await shop.write('build-config/env/FORCED.override', 'operator')
      await shop.add('acme/a')
      await shop.add('acme/clear', { toml: 'clear-env = true' })
      await run(orderOf('acme/a acme/clear'), { atOnce: 1 })
      const picked = shop.executions.map(({ env }) => [env.MINE, env.PATH, env.BOTH, env.THEIRS, env.FORCED])
      assert.deepEqual(picked, [
        ['user\n', '/user/bin:/usr/bin:/bin', 'user', 'operator', 'operator'],
        [undefined, '/usr/bin:/bin', 'operator', 'operator', 'operator'],
      ])
    })

    it('may write its plan and nothing else', async () => {
      await shop.add('acme/a')
      await run(orderOf('acme/a'))
      const [execution] = shop.executions
      const plan = execution?.command[2] ?? ''
      assert.deepEqual(
        execution?.writable.map(({ inside }) => `${inside}/plan.toml`),
        [plan],
      )
    })

    it('is told in paths of the inside', async () => {
      const outside = { ...shop.places, layers: { host: shop.places.layers.host, inside: '/layers' } }
      const places = { ...outside, app: { host: shop.places.app.host, inside: '/workspace' } }
      await shop.add('acme/a')
      const seen: (readonly string[])[] = []
      const executor = {
        run: async ({ command, cwd }: { command: readonly string[]; cwd: string }) => {
          seen.push([...command.slice(1), cwd])
          return { exitCode: 0 }
        },
      }
      await run(orderOf('acme/a'), { places, executor })
      assert.deepEqual(seen, [
        [places.platform.inside, '/tmp/lifecycle/detect-buildpack-acme_a-1.0.0/plan.toml', '/workspace'],
      ])
    })

    it('ends when it is told to, and leaves nothing behind', async () => {
      const abort = new AbortController()
      await shop.add('acme/a', { detect: `: > ${shop.path}/started; exec sleep 60` })
      const detecting = run(orderOf('acme/a'), {
        signal: abort.signal,
        executor: {
          run(execution) {
            const running = shop.executor.run(execution)
            setImmediate(() => abort.abort())
            return running
          },
        },
      })
      await assert.rejects(detecting, { name: 'AbortError' })
      await assert.rejects(readFile(`${shop.places.layers.host}-scratch`), { code: 'ENOENT' })
    })
  })

  describe('an image extension', () => {
    it('that nobody needs falls away; one that provides what is required takes part', async () => {
      await shop.add('acme/ext', { extension: true })
      await shop.write('buildpacks/acme_ext/detect/plan.toml', '[[provides]]\nname = "curl"\n')
      await shop.add('acme/a')
      await shop.add('acme/curl', { detect: requires('curl') })
      const extensions = orderOf('acme/ext')
      assert.equal(await idsOf(orderOf('acme/a'), { extensions }), 'acme/a')
      const { group, plan } = await run(orderOf('acme/curl'), { extensions })
      assert.deepEqual(
        group.extensions.map(({ id }): string => id),
        ['acme/ext'],
      )
      assert.deepEqual(plan[0]?.providers, [{ id: 'acme/ext', version: '1.0.0', extension: true }])
      assert.match(
        await readFile(join(shop.places.layers.host, 'group.toml'), 'utf8'),
        /\[\[group-extensions\]\]\nid = "acme\/ext"/,
      )
      assert.equal((await failureOf(orderOf('acme/curl'))).exitCode, 20)
    })

    it('that the order names and nobody has ends detection', async () => {
      await shop.add('acme/a')
      await assert.rejects(run(orderOf('acme/a'), { extensions: orderOf('acme/gone') }), {
        code: 'BUILDPACK_MISSING',
        exitCode: 1,
      })
    })
  })
})
