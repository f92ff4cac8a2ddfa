import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseToml, temporaryDirectory } from '#std'
import type { Build } from './context.ts'
import { fail, pass } from './detection.ts'
import type { Call } from './open-context.ts'
import { buildPhase, detectPhase, NOT_DETECTED } from './phases.ts'

/** Parsed tables have no prototype. */
const plain = (table: object) => ({ ...JSON.parse(JSON.stringify(table)) })

interface Bench {
  readonly root: string
  readonly layers: string
  readonly printed: string[]
  readonly call: Call
  build(build: Build, plan?: string): Promise<void>
  table(name: string): Promise<Record<string, unknown>>
}

async function bench(use: (bench: Bench) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory(tmpdir())
  const root = directory.path
  const [application, buildpack, platform, layers] = ['app', 'bp', 'platform', 'layers'].map(name =>
    join(root, name),
  ) as [string, string, string, string]
  for (const path of [application, buildpack, platform, layers]) await mkdir(path)
  const descriptor = [
    'api = "0.10"',
    '[buildpack]',
    'id = "acme/x"',
    'version = "1.2.3"',
    'name = "Acme X"',
    '[[metadata.configurations]]',
    'name = "BP_A"',
    'default = "1"',
    'description = "it"',
    'build = true',
  ]
  await writeFile(join(buildpack, 'buildpack.toml'), descriptor.join('\n'))
  const printed: string[] = []
  const call: Call = {
    application,
    buildpack,
    platform,
    environment: { CNB_TARGET_DISTRO_NAME: 'debian', CNB_TARGET_DISTRO_VERSION: '13' },
    machine: 'x64',
    sink: text => void printed.push(text),
  }
  await use({
    root,
    layers,
    printed,
    call,
    async build(build, plan = '') {
      await writeFile(join(root, 'plan.toml'), plan)
      await buildPhase(build, call, layers, join(root, 'plan.toml'))
    },
    table: async name => plain(parseToml(await readFile(join(layers, name), 'utf8'), name)),
  })
}

describe('detection', () => {
  it('writes the plan with its alternatives', () =>
    bench(async ({ root, call }) => {
      const file = join(root, 'plan.toml')
      const detect = () =>
        pass({ provides: ['a'], requires: ['b', { name: 'c', metadata: { x: 1 } }] }, { provides: ['a'] })
      assert.equal(await detectPhase(detect, call, file), 0)
      assert.deepEqual(plain(parseToml(await readFile(file, 'utf8'), file)), {
        provides: [{ name: 'a' }],
        requires: [{ name: 'b' }, { name: 'c', metadata: { x: 1 } }],
        or: [{ provides: [{ name: 'a' }] }],
      })
    }))

  it('says why a buildpack stays out, and ends with 100', () =>
    bench(async ({ root, call, printed }) => {
      assert.equal(await detectPhase(() => fail('no pom.xml'), call, join(root, 'plan.toml')), NOT_DETECTED)
      assert.deepEqual(printed, ['  SKIPPED: no pom.xml\n'])
    }))
})

describe('building', () => {
  it('prints title and settings first', () =>
    bench(async ({ build, printed }) => {
      await build(({ log }) => log.line('working'))
      assert.equal(printed.join(''), '\nAcme X 1.2.3\n  Build Configuration:\n    $BP_A  1  it\n  working\n')
    }))

  it('hands over the plan, and joins what is required under one name', () =>
    bench(async ({ build }) => {
      const plan =
        '[[entries]]\nname = "jre"\n[entries.metadata]\nlaunch = true\n[[entries]]\nname = "jre"\n[entries.metadata]\nbuild = true\n'
      await build(({ plan: entries, required, target }) => {
        assert.equal(entries.length, 2)
        assert.deepEqual(required('jre'), { launch: true, build: true })
        assert.equal(required('jdk'), undefined)
        assert.deepEqual([target.arch, target.distro], ['amd64', { name: 'debian', version: '13' }])
      }, plan)
    }))

  it('writes launch.toml, build.toml, store.toml and a bill of materials', () =>
    bench(async ({ build, table, layers }) => {
      await build(({ launch, unmet, store, components }) => {
        launch.process({ type: 'web', command: ['old'] })
        launch.process({
          type: 'web',
          command: ['java', '-jar'],
          arguments: ['x'],
          default: true,
          workingDirectory: '/w',
        })
        launch.label('a', 'b')
        launch.slice(['lib/**'])
        unmet('jre')
        store.set('seen', '1')
        components([{ type: 'library', name: 'a', version: '1' }])
      })
      assert.deepEqual(await table('launch.toml'), {
        labels: [{ key: 'a', value: 'b' }],
        processes: [
          { type: 'web', command: ['java', '-jar'], args: ['x'], default: true, 'working-dir': '/w' },
        ],
        slices: [{ paths: ['lib/**'] }],
      })
      assert.deepEqual(await table('build.toml'), { unmet: [{ name: 'jre' }] })
      assert.deepEqual(await table('store.toml'), { metadata: { seen: '1' } })
      assert.ok((await readdir(layers)).includes('launch.sbom.cdx.json'))
    }))

  it('writes nothing where there is nothing to say', () =>
    bench(async ({ build, layers }) => {
      await build(() => {})
      assert.deepEqual(await readdir(layers), [])
    }))

  it('remembers, and forgets, from build to build', () =>
    bench(async ({ build, table }) => {
      await build(({ store }) => void store.set('a', 1))
      await build(({ store }) => {
        assert.equal(store.get('a'), 1)
        store.clear()
      })
      assert.deepEqual(await table('store.toml'), {})
    }))

  it('refuses a target that nothing is made for', () =>
    bench(async ({ call, layers, root }) => {
      const odd = { ...call, environment: { CNB_TARGET_ARCH: 's390x' } }
      await assert.rejects(
        buildPhase(() => {}, odd, layers, join(root, 'plan.toml')),
        { code: 'TARGET_UNKNOWN' },
      )
    }))
})
