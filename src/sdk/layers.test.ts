import assert from 'node:assert/strict'
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseToml, removeTree, temporaryDirectory } from '#std'
import type { Dependency } from './dependency.ts'
import type { LayerPlan, Layers } from './layer.ts'
import { openLayers } from './layers.ts'
import { openLog } from './log.ts'

/** Parsed tables have no prototype. */
const plain = (table: object) => ({ ...JSON.parse(JSON.stringify(table)) })

interface Bench {
  readonly root: string
  readonly directory: string
  readonly lines: string[]
  layers(version?: string, launcher?: { copy?: string; link?: string }): Layers
}

async function bench(use: (bench: Bench) => Promise<void>): Promise<void> {
  await using root = await temporaryDirectory(tmpdir())
  const directory = join(root.path, 'layers')
  await mkdir(directory)
  const lines: string[] = []
  const log = openLog(text => void lines.push(text.trim()))
  await use({
    root: root.path,
    directory,
    lines,
    layers: (version = '1', launcher = {}) => openLayers({ directory, version, launcher, log }),
  })
}

function plan(types: LayerPlan['types'], metadata: LayerPlan['metadata'], made: string[] = []): LayerPlan {
  return {
    title: 'Thing',
    types,
    metadata,
    async make(layer) {
      made.push(layer.name)
      await writeFile(join(layer.directory, 'content'), 'x')
    },
  }
}

describe('layers', () => {
  it('records types and metadata, and uses a layer again while they are the same', () =>
    bench(async ({ directory, layers, lines }) => {
      const made: string[] = []
      const types = { build: true, cache: true }
      await layers().contribute('thing', plan(types, { version: '1.2', list: ['a'] }, made))
      await layers().contribute('thing', plan(types, { version: '1.2', list: ['a'] }, made))
      assert.deepEqual(made, ['thing'])
      assert.deepEqual(lines, ['Thing: Contributing to layer', 'Thing: Reusing cached layer'])
      assert.deepEqual(plain(parseToml(await readFile(join(directory, 'thing.toml'), 'utf8'), 'x')), {
        types: { launch: false, build: true, cache: true },
        metadata: { 'made-by': '1', version: '1.2', list: ['a'] },
      })
    }))

  it('makes it anew, without what was in it, and says what changed', () =>
    bench(async ({ directory, layers, lines }) => {
      const types = { cache: true }
      await layers().contribute('thing', plan(types, { version: '1' }))
      await writeFile(join(directory, 'thing', 'old'), '')
      await layers().contribute('thing', plan(types, { version: '2' }))
      await layers().contribute('thing', plan(types, { version: '2', words: ['a'] }))
      await layers('2').contribute('thing', plan(types, { version: '2', words: ['a'] }))
      assert.deepEqual(lines.slice(1), [
        'Thing: Contributing to layer (version changed from 1 to 2)',
        'Thing: Contributing to layer (words changed)',
        'Thing: Contributing to layer (made-by changed from 1 to 2)',
      ])
      assert.deepEqual(await readdir(join(directory, 'thing')), ['content'])
    }))

  it('leaves a layer of the image alone that is not here, but needs one that the build sees', () =>
    bench(async ({ directory, layers }) => {
      const made: string[] = []
      for (const types of [{ launch: true }, { launch: true, build: true }]) {
        await layers().contribute('thing', plan(types, { a: 1 }, made))
        await removeTree(join(directory, 'thing'))
        await layers().contribute('thing', plan(types, { a: 1 }, made))
        await removeTree(join(directory, 'thing.toml'))
      }
      assert.equal(made.length, 3)
    }))

  it('asks what is inside once it is made, remembers what is to be known, and leaves the bill of before alone', () =>
    bench(async ({ directory, layers }) => {
      let asked = 0
      const planned: LayerPlan = {
        ...plan({ launch: true }, { a: 1 }),
        components: async () => [{ type: 'library', name: `asked ${++asked}`, version: '1' }],
        remember: async () => ({ names: ['one'] }),
      }
      const first = await layers().contribute('thing', planned)
      await removeTree(join(directory, 'thing'))
      const second = await layers().contribute('thing', planned)
      assert.deepEqual([first.reused, second.reused, asked], [false, true, 1])
      assert.deepEqual(
        [plain(first.remembered), plain(second.remembered)],
        [{ names: ['one'] }, { names: ['one'] }],
      )
      assert.match(await readFile(join(directory, 'thing.sbom.cdx.json'), 'utf8'), /"asked 1"/)
    }))

  it('takes whole numbers that came back as floats for the same', () =>
    bench(async ({ directory, layers }) => {
      await mkdir(join(directory, 'thing'))
      await writeFile(join(directory, 'thing.toml'), '[metadata]\nmade-by = "1"\nb = 2.0\n')
      const { reused } = await layers().contribute('thing', plan({ cache: true }, { b: 2 }))
      assert.ok(reused)
    }))

  it('leaves no record of a layer that could not be made', () =>
    bench(async ({ directory, layers }) => {
      const broken = { ...plan({ launch: true }, {}), make: () => Promise.reject(new Error('no')) }
      await assert.rejects(layers().contribute('thing', broken))
      assert.ok(!(await readdir(directory)).includes('thing.toml'))
    }))

  it('gives files of the image modes that the umask has no part in', () =>
    bench(async ({ directory, layers }) => {
      await layers().contribute('thing', {
        ...plan({ launch: true }, {}),
        async make(layer) {
          await mkdir(join(layer.directory, 'd'), { mode: 0o700 })
          await writeFile(join(layer.directory, 'd', 'program'), '', { mode: 0o700 })
          await writeFile(join(layer.directory, 'd', 'file'), '', { mode: 0o600 })
          await symlink('nowhere', join(layer.directory, 'd', 'link'))
        },
      })
      const modeOf = async (path: string) => (await lstat(join(directory, 'thing', path))).mode & 0o7777
      assert.deepEqual(
        await Promise.all(['', 'd', 'd/program', 'd/file'].map(modeOf)),
        [0o755, 0o755, 0o755, 0o644],
      )
    }))

  it('writes environment files, a delimiter beside each list, in order', () =>
    bench(async ({ directory, layers, lines }) => {
      await layers().contribute('thing', {
        ...plan({ launch: true, build: true }, {}),
        async make({ environment }) {
          environment.launch.append('OPTIONS', '-Xa', ' ')
          environment.build.override('HOME_OF', '/x')
          environment.shared.prepend('PATH_OF', '/y', ':')
          environment.process('web').default('PORT', '8080')
        },
      })
      assert.deepEqual(lines.slice(1), [
        'Writing env.build/HOME_OF.override',
        'Writing env.launch/OPTIONS.append',
        'Writing env.launch/web/PORT.default',
        'Writing env/PATH_OF.prepend',
      ])
      const text = (path: string) => readFile(join(directory, 'thing', path), 'utf8')
      assert.equal(await text('env.launch/OPTIONS.append'), '-Xa')
      assert.equal(await text('env.launch/OPTIONS.delim'), ' ')
      assert.equal(await text('env.launch/web/PORT.default'), '8080')
    }))

  it('points at a dependency for the build, and copies it for the image', () =>
    bench(async ({ root, directory, layers }) => {
      await mkdir(join(root, 'tree', 'bin'), { recursive: true })
      await writeFile(join(root, 'tree', 'bin', 'tool'), 'tool', { mode: 0o555 })
      await symlink('bin/tool', join(root, 'tree', 'link'))
      const dependency = { root: join(root, 'tree') } as Dependency
      const make: LayerPlan['make'] = layer => layer.install(dependency)
      await layers().contribute('for-build', { ...plan({ build: true }, {}), make })
      await layers().contribute('for-image', { ...plan({ launch: true, build: true }, {}), make })
      assert.equal(await readlink(join(directory, 'for-build', 'bin')), join(root, 'tree', 'bin'))
      assert.equal(await readlink(join(directory, 'for-image', 'link')), 'bin/tool')
      const stats = await lstat(join(directory, 'for-image', 'bin', 'tool'))
      assert.ok(stats.isFile())
      assert.equal(stats.mode & 0o7777, 0o755)
    }))

  it('adds start-up helpers: links to the launcher of the image, or one copy that serves all', () =>
    bench(async ({ root, directory, layers }) => {
      const make: LayerPlan['make'] = async layer => {
        await layer.startUpHelper('one')
        await layer.startUpHelper('two')
      }
      const helper = { ...plan({ launch: true }, {}), make }
      await layers('1', { link: '/cnb/lifecycle/launcher' }).contribute('linked', helper)
      assert.equal(await readlink(join(directory, 'linked/exec.d/one')), '/cnb/lifecycle/launcher')

      await writeFile(join(root, 'launcher'), 'program', { mode: 0o600 })
      await layers('1', { copy: join(root, 'launcher') }).contribute('copied', helper)
      assert.equal(await readFile(join(directory, 'copied/exec.d/two'), 'utf8'), 'program')
      assert.equal((await lstat(join(directory, 'copied/helper/launcher'))).mode & 0o7777, 0o755)

      await assert.rejects(layers().contribute('none', helper), { code: 'HELPER_MISSING' })
    }))

  it('keeps a directory from build to build', () =>
    bench(async ({ directory, layers }) => {
      const first = await layers().keep('repository')
      await writeFile(join(first.directory, 'a'), '')
      await first.record({ seen: 'yes' })
      const second = await layers().keep('repository')
      assert.deepEqual(plain(second.previous), { seen: 'yes' })
      assert.deepEqual(await readdir(join(directory, 'repository')), ['a'])
      assert.match(await readFile(join(directory, 'repository.toml'), 'utf8'), /cache = true/)
    }))

  it('writes bills of materials in both formats, also for a layer that is used again', () =>
    bench(async ({ directory, layers }) => {
      const components = [{ type: 'library', name: 'a', version: '1', purl: 'pkg:generic/a@1' }] as const
      const both = async () => {
        await layers().contribute('thing', { ...plan({ launch: true }, {}), components })
        const files = ['thing.sbom.cdx.json', 'thing.sbom.spdx.json'].map(name =>
          readFile(join(directory, name), 'utf8'),
        )
        return await Promise.all(files)
      }
      const first = await both()
      assert.match(first[0] ?? '', /"purl": "pkg:generic\/a@1"/)
      assert.deepEqual(await both(), first)
    }))

  it('refuses names that a lifecycle has other uses for', () =>
    bench(async ({ layers }) => {
      for (const name of ['launch', 'build', 'store', '../x', 'a/b', '', '.hidden'])
        await assert.rejects(layers().contribute(name, plan({}, {})), { code: 'LAYER_NAME_FORBIDDEN' })
    }))
})
