import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { detect } from './detect.ts'
import { generate } from './generate.ts'
import { openWorkshop, orderOf, type Workshop } from './shell-buildpacks.testing.ts'

describe('image extensions', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
    await shop.add('acme/app', { detect: requires('one') + requires('two') })
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const provides = (name: string) => `printf '[[provides]]\\nname = "${name}"\\n' >> "$2"\n`
  const requires = (name: string) =>
    `printf '[[requires]]\\nname = "${name}"\\n[requires.metadata]\\nfor = "${name}"\\n' >> "$2"\n`
  const writes = (file: string, text: string) => `cat > "$1/${file}" <<'END'\n${text}\nEND\n`
  const add = (id: string, name: string, script: string) =>
    shop.add(id, { extension: true, detect: provides(name), generate: script })

  /** Both extensions in one group. */
  const run = async (first: string, second: string) => {
    await add('acme/first', 'one', first)
    await add('acme/second', 'two', second)
    const order = orderOf('acme/app')
    const extensions = orderOf('acme/first acme/second')
    const detection = await detect({ ...shop, order, extensions })
    return generate({ ...shop, ...detection })
  }

  it('switch the run image: the last one that does so counts, whatever those before it say', async () => {
    const switched = 'ARG base_image=x\n\n# a comment\nfrom registry.example/run:2'
    assert.deepEqual(
      await run(writes('run.Dockerfile', 'FROM x\nRUN apt-get update'), writes('run.Dockerfile', switched)),
      { plan: [], runImage: { reference: 'registry.example/run:2', extension: 'acme/second@1.0.0' } },
    )
    const kept = `ARG base_image\nFROM \${base_image}`
    const { runImage } = await run(
      writes('run.Dockerfile', 'FROM a/b@sha256:00'),
      writes('run.Dockerfile', kept),
    )
    assert.equal(runImage?.reference, 'a/b@sha256:00')
  })

  it('may do nothing at all, and meet what they provide', async () => {
    assert.deepEqual(await run('', ''), { plan: [] })
  })

  it('are handed paths, plan and variables, and a directory of their own', async () => {
    const dump = 'env > "$1/env"; cat "$3" > "$1/plan"; echo "$@" > "$1/args"; pwd > "$1/cwd"'
    await run(dump, '')
    const read = (name: string) =>
      readFile(join(shop.places.layers.host, 'generated/acme_first', name), 'utf8')
    const [output, platform, plan] = (await read('args')).trim().split(' ')
    assert.equal(output, join(shop.places.layers.inside, 'generated/acme_first'))
    const env = await read('env')
    for (const line of [
      `CNB_OUTPUT_DIR=${output}`,
      `CNB_PLATFORM_DIR=${platform}`,
      `CNB_BP_PLAN_PATH=${plan}`,
      `CNB_EXTENSION_DIR=${shop.path}/buildpacks/acme_first`,
      'CNB_TARGET_DISTRO_NAME=debian',
    ])
      assert.ok(env.split('\n').includes(line), `${line} in\n${env}`)
    assert.doesNotMatch(env, /CNB_BUILD_PLAN_PATH|CNB_LAYERS_DIR|CNB_BUILDPACK_DIR/)
    assert.match(await read('plan'), /name = "one"\n(?:.*\n)*for = "one"/)
    assert.doesNotMatch(await read('plan'), /two/)
    assert.equal((await read('cwd')).trim(), shop.places.app.inside)
  })

  it('without bin/generate use what they ship', async () => {
    await shop.add('acme/first', { extension: true, detect: provides('one') })
    await shop.write('buildpacks/acme_first/generate/run.Dockerfile', 'FROM shipped')
    await add('acme/second', 'two', '')
    const order = orderOf('acme/app')
    const detection = await detect({ ...shop, order, extensions: orderOf('acme/first acme/second') })
    assert.equal((await generate({ ...shop, ...detection })).runImage?.reference, 'shipped')
  })

  const refused: [name: string, file: string, text: string, code: string, why: RegExp][] = [
    ['RUN', 'run.Dockerfile', 'FROM x\n\nRUN rm -r /', 'EXTENSION_UNSUPPORTED', /line 3 .* "RUN rm -r \/"/],
    ['USER', 'run.Dockerfile', 'FROM x\nUSER root', 'EXTENSION_UNSUPPORTED', /line 2/],
    ['two stages', 'run.Dockerfile', 'FROM x\nFROM y', 'EXTENSION_UNSUPPORTED', /line 2/],
    ['a platform', 'run.Dockerfile', 'FROM --platform=linux/arm64 x', 'EXTENSION_UNSUPPORTED', /line 1/],
    ['another variable', 'run.Dockerfile', 'ARG x=1\nFROM $x', 'EXTENSION_UNSUPPORTED', /line 1 .*ARG x=1/],
    ['a variable in a name', 'run.Dockerfile', `FROM a:\${tag}`, 'EXTENSION_UNSUPPORTED', /line 1/],
    ['a hidden line', 'run.Dockerfile', 'FROM x\n# c\\\nRUN \\\n # c\n a', 'EXTENSION_UNSUPPORTED', /line 3/],
    ['no FROM', 'run.Dockerfile', '# nothing', 'EXTENSION_OUTPUT_INVALID', /no FROM/],
    [
      'a build.Dockerfile',
      'build.Dockerfile',
      `ARG base_image\nFROM \${base_image}\nUSER 0`,
      'EXTENSION_UNSUPPORTED',
      /line 3 of its build\.Dockerfile/,
    ],
  ]
  for (const [name, file, text, code, why] of refused) {
    it(`are refused with ${name}, by name and line`, async () => {
      await assert.rejects(run('', writes(file, text)), (error: unknown) => {
        assert.match(String((error as Error).message), why)
        assert.match(String((error as Error).message), /acme\/second@1\.0\.0/)
        assert.deepEqual(
          [(error as { code: string }).code, (error as { exitCode: number }).exitCode],
          [code, 92],
        )
        return true
      })
    })
  }

  it('that fail end the build with 91, and what is no plain file with 52', async () => {
    await assert.rejects(run('echo no; exit 7', ''), {
      code: 'EXTENSION_FAILED',
      exitCode: 91,
      message: /exit code 7/,
    })
    await assert.rejects(run('ln -s /etc/passwd "$1/run.Dockerfile"', ''), { code: 'BUILDPACK_FILE_REFUSED' })
  })
})
