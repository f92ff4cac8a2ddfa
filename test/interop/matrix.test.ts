import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { writeApp } from './buildpack.ts'
import { builderDescription, type Ground, openGround } from './ground.ts'

const MAKERS = ['us', 'reference'] as const
type Maker = (typeof MAKERS)[number]
const pairs = MAKERS.flatMap(first => MAKERS.map(second => [first, second] as const))

let ground: Ground
let missing: string | undefined
before(async () => {
  const opened = await openGround()
  if (typeof opened === 'string') {
    missing = opened
    return
  }
  ground = opened
  writeApp(join(ground.place.directory, 'app'))
  ground.place.own('app')
})
after(() => ground?.[Symbol.asyncDispose]())

/** True if the cell cannot be tried on this machine; says so. */
function cannot(t: TestContext, { docker = true } = {}): boolean {
  const why = missing ?? (docker && typeof ground.docker === 'string' ? ground.docker : undefined)
  if (why !== undefined) t.skip(why)
  return why !== undefined
}

/** How `pack build` is run: containers have no network but the host's, and the builder may do all phases. */
const PACK_WORDS = ['--trust-builder', '--network', 'host']

/**
 * The layers that are the same whoever made them. Slices of the app are, but for the mode of their root, which `pack` takes from the volume that it
 * uploads the app to; launcher, bills of materials and configuration name each one's own launcher and API (docs/compatibility.md).
 */
const SAME = ['tool', 'kept', 'process-types']
/** All layers of an image. */
const ALL = [...SAME, 'slice-1', 'slice-2', 'slice-3', 'config', 'launcher', 'sbom']

// ── the work that cells share; each is done once, by the first cell that needs it ──

const done = new Map<string, Promise<string>>()
function once(key: string, work: () => Promise<string>): Promise<string> {
  const started = done.get(key) ?? work()
  done.set(key, started)
  return started
}

/** A builder image made by one of the two; gives its name. */
const builder = (maker: Maker): Promise<string> =>
  once(`builder ${maker}`, async () => {
    const name = `${ground.registry}/builder/${maker}`
    const file = join(ground.place.directory, `${maker}.toml`)
    writeFileSync(file, builderDescription(ground, ground.buildpack))
    const words = ['builder', 'create', name, '--publish', '--config', file]
    await (maker === 'us' ? ground.slipway(...words) : ground.pack(...words))
    return name
  })

/** A buildpackage in a file made by one of the two; gives its path. */
const buildpackage = (maker: Maker): Promise<string> =>
  once(`buildpackage ${maker}`, async () => {
    const file = join(ground.place.directory, `${maker}.cnb`)
    const words = ['buildpack', 'package', file, '--format', 'file', '--path', ground.buildpack]
    await (maker === 'us' ? ground.slipway(...words) : ground.pack(...words))
    return file
  })

/** Builds the app as one of the two; gives what was printed. */
async function build(maker: Maker, name: string, words: readonly string[]): Promise<string> {
  const path = join(ground.place.directory, 'app')
  const common = ['build', name, '--publish', '--path', path, ...words]
  if (maker === 'us') {
    const { stdout, stderr } = await ground.slipway(...common, '--launcher', 'always')
    return stdout + stderr
  }
  return ground.pack(...common, ...PACK_WORDS, '--lifecycle-image', ground.lifecycleImage)
}

/** The app's image built by one of the two with the reference's builder; gives its name. */
const image = (maker: Maker): Promise<string> =>
  once(`image ${maker}`, async () => {
    const name = `${ground.registry}/app/${maker}`
    await build(maker, name, ['--builder', await builder('reference')])
    return name
  })

/** A copy of it under a name of its own. */
async function copyOf(maker: Maker, purpose: string): Promise<string> {
  const name = `${ground.registry}/app/${purpose}`
  await ground.crane('copy', await image(maker), name)
  return name
}

interface Found {
  readonly digest: string
  readonly layers: readonly { readonly digest: string }[]
  readonly config: {
    readonly config: Config
    readonly rootfs: { readonly diff_ids: readonly string[] }
  } & Record<string, unknown>
}
interface Config {
  readonly Labels: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

async function look(name: string): Promise<Found> {
  const [digest, manifest, config] = await Promise.all([
    ground.crane('digest', name),
    ground.crane('manifest', name),
    ground.crane('config', name),
  ])
  return { digest: digest.trim(), layers: JSON.parse(manifest).layers, config: JSON.parse(config) }
}

/** diffIDs of the image's layers by what the lifecycle calls them. */
function layersOf({ config }: Found): Record<string, string> {
  const metadata = JSON.parse(config.config.Labels['io.buildpacks.lifecycle.metadata'] as string)
  const own = Object.entries(metadata.buildpacks[0].layers as Record<string, { sha: string }>)
  return Object.fromEntries([
    ...own.map(([name, { sha }]) => [name, sha]),
    ...(metadata.app as { sha: string }[]).map(({ sha }, index) => [`slice-${index + 1}`, sha]),
    ...['sbom', 'config', 'launcher', 'process-types'].map(name => [name, metadata[name].sha]),
  ])
}

/** Blob of each diffID. */
function blobsOf({ layers, config }: Found): Map<string, string | undefined> {
  return new Map(config.rootfs.diff_ids.map((diffId, index) => [diffId, layers[index]?.digest]))
}

function files(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names
      .filter(name => statSync(join(directory, name)).isFile())
      .map(name => [name, readFileSync(join(directory, name), 'utf8')]),
  )
}

describe('an image', () => {
  it('has the same layers, whoever built it', async t => {
    if (cannot(t)) return
    const [ours, theirs] = await Promise.all(
      MAKERS.map(async maker => layersOf(await look(await image(maker)))),
    )
    // The launcher is each one's own; so are the bills of materials of lifecycle and launcher, which the reference has only where its builder brings them.
    for (const name of SAME) assert.equal(ours?.[name], theirs?.[name], name)
  })

  it('has the same files, whoever built it, but for what names the builder', async t => {
    if (cannot(t)) return
    const [theirs, ours] = [`docker://${await image('reference')}`, `docker://${await image('us')}`]
    const { stdout } = await ground.slipway('diff', theirs, ours, '--only', 'files', '--json')
    const files = JSON.parse(stdout).files as { path: string; change: string; differences: string[] }[]
    const told = files.map(({ path, change, differences }) => [path, change, ...differences].join(' '))
    assert.deepEqual(
      told.filter(
        line => !/^\/layers\/sbom\/launch\/(?:launcher|lifecycle|buildpacksio_lifecycle|sbom)/.test(line),
      ),
      [
        '/cnb/lifecycle/launcher changed content',
        '/layers/config/metadata.toml changed content',
        '/workspace changed mode',
      ],
    )
  })

  for (const [maker, rebuilder] of pairs) {
    it(`built by ${maker} keeps its layers when ${rebuilder} rebuilds it`, async t => {
      if (cannot(t)) return
      const name = await copyOf(maker, `${maker}-rebuilt-by-${rebuilder}`)
      const was = await look(name)
      const said = await build(rebuilder, name, ['--builder', await builder('reference')])
      const is = await look(name)
      const [before_, now] = [layersOf(was), layersOf(is)]
      for (const layer of maker === rebuilder ? ALL : SAME) {
        const diffId = now[layer] as string
        assert.equal(diffId, before_[layer], layer)
        assert.equal(blobsOf(is).get(diffId), blobsOf(was).get(diffId), `the blob of ${layer}`)
      }
      assert.match(said, /Reusing layer 'interop\/bash:tool'/)
      assert.doesNotMatch(said, /making tool/)
      if (maker === rebuilder) assert.equal(is.digest, was.digest)
    })
  }

  for (const [maker, rebaser] of pairs) {
    it(`built by ${maker} is rebased by ${rebaser}`, async t => {
      if (cannot(t)) return
      const name = await copyOf(maker, `${maker}-rebased-by-${rebaser}`)
      const [was, base] = [await look(name), await look(ground.base.run)]
      const words = ['rebase', name, '--publish', '--run-image', ground.base.run, '--force']
      await (rebaser === 'us' ? ground.slipway(...words) : ground.pack(...words))
      const is = await look(name)
      const count = base.config.rootfs.diff_ids.length
      assert.deepEqual(is.config.rootfs.diff_ids.slice(0, count), base.config.rootfs.diff_ids)
      assert.deepEqual(is.config.rootfs.diff_ids.slice(count), was.config.rootfs.diff_ids.slice(count))
      assert.deepEqual(
        is.layers.slice(0, count).map(({ digest }) => digest),
        base.layers.map(({ digest }) => digest),
      )
      const { runImage } = JSON.parse(is.config.config.Labels['io.buildpacks.lifecycle.metadata'] as string)
      assert.equal(runImage.topLayer, base.config.rootfs.diff_ids.at(-1))
      assert.equal(runImage.reference, `${ground.base.run.replace(/:[^:/]*$/, '')}@${base.digest}`)
    })
  }

  for (const maker of MAKERS) {
    it(`built by ${maker} has the same configuration and labels after either rebased it`, async t => {
      if (cannot(t)) return
      const configs: unknown[] = []
      for (const rebaser of MAKERS) {
        const name = await copyOf(maker, `${maker}-compared-${rebaser}`)
        const words = ['rebase', name, '--publish', '--run-image', ground.base.run, '--force']
        await (rebaser === 'us' ? ground.slipway(...words) : ground.pack(...words))
        const { created: _, history: __, ...config } = (await look(name)).config
        const { 'io.buildpacks.lifecycle.metadata': metadata, ...labels } = config.config.Labels
        // Version 0.20 of the reference does not know this key yet, and drops it.
        const { 'exec-env': ___, ...known } = JSON.parse(metadata as string)
        configs.push({ ...config, config: { ...config.config, Labels: { ...labels, metadata: known } } })
      }
      assert.deepEqual(configs[0], configs[1])
    })

    it(`built by ${maker} looks the same to slipway inspect and pack inspect`, async t => {
      if (cannot(t)) return
      const name = await image(maker)
      const ours = JSON.parse((await ground.slipway('inspect', name, '--json')).stdout)
      const theirs = JSON.parse(await ground.pack('inspect', name, '--output', 'json'))
      assert.deepEqual(common(ours.remote_info, theirs.remote_info), theirs.remote_info)
    })

    it(`built by ${maker} gives slipway and pack the same bills of materials`, async t => {
      if (cannot(t)) return
      const name = await image(maker)
      const [ours, theirs] = ['ours', 'theirs'].map(who =>
        join(ground.place.directory, `sbom-${who}-of-${maker}`),
      )
      await ground.slipway('sbom', 'download', name, '--remote', '--output-dir', ours as string)
      await ground.pack('sbom', 'download', name, '--remote', '--output-dir', theirs as string)
      // The reference writes `null` there; slipway leaves the older form out.
      const { 'layers/sbom/launch/sbom.legacy.json': _, ...found } = files(theirs as string)
      assert.ok(
        Object.keys(found).some(file => file.endsWith('tool/sbom.cdx.json')),
        Object.keys(found).join(),
      )
      const own = files(ours as string)
      assert.deepEqual(Object.fromEntries(Object.keys(found).map(file => [file, own[file]])), found)
    })

    it(`built by ${maker} runs in Docker and with slipway run`, async t => {
      if (cannot(t) || typeof ground.docker === 'string') return
      const name = await image(maker)
      const expected = 'Ahoy from tool 1.0.0 in harbour\n'
      assert.equal(await ground.docker.docker('run', '--rm', '--network', 'host', name), expected)
      await ground.slipway('copy', `docker://${name}`, `interop/${maker}`)
      assert.equal((await ground.slipway('run', `interop/${maker}`)).stdout, expected)
      const worker = await ground.docker.docker(
        'run',
        '--rm',
        '--network',
        'host',
        '--entrypoint',
        'worker',
        name,
      )
      assert.equal(worker, 'tool 1.0.0\n')
    })
  }
})

/** What both say: of the first only the keys that the second has. */
function common(value: unknown, model: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(model))
    return value.map((each, index) => common(each, model[index]))
  if (typeof value !== 'object' || value === null || typeof model !== 'object' || model === null) return value
  const known = Object.keys(model).map(key => [key, common(value[key as never], model[key as never])])
  return Object.fromEntries(known)
}

describe('a builder', () => {
  for (const [maker, user] of pairs) {
    it(`made by ${maker} is used by ${user}`, async t => {
      if (cannot(t)) return
      const name = `${ground.registry}/app/builder-of-${maker}-used-by-${user}`
      const said = await build(user, name, ['--builder', await builder(maker)])
      assert.match(said, /interop\/bash\s+1\.0\.0/)
      const [made, expected] = [layersOf(await look(name)), layersOf(await look(await image(user)))]
      assert.equal(made.tool, expected.tool)
      assert.equal(made['slice-3'], expected['slice-3'])
    })
  }

  it('has the same modules, order and layers, whoever made it', async t => {
    if (cannot(t, { docker: false })) return
    const [ours, theirs] = await Promise.all(MAKERS.map(async maker => look(await builder(maker))))
    for (const label of [
      'io.buildpacks.buildpack.layers',
      'io.buildpacks.buildpack.order',
      'io.buildpacks.stack.mixins',
    ])
      assert.equal(ours?.config.config.Labels[label], theirs?.config.config.Labels[label], label)
    // TOML of pack is indented, and its layer of the lifecycle has the times of the archive.
    const { stdout } = await ground.slipway(
      ...['diff', `docker://${await builder('reference')}`, `docker://${await builder('us')}`],
      ...['--only', 'files', '--json'],
    )
    assert.deepEqual(
      JSON.parse(stdout).files.map(({ path }: { path: string }) => path),
      ['/cnb/order.toml', '/cnb/run.toml', '/cnb/stack.toml'],
    )
    // Base, directories, the buildpack, variables.
    const shared = (found?: Found) =>
      found?.config.rootfs.diff_ids.filter((_, index) => ![3, 5, 6, 7].includes(index))
    assert.deepEqual(shared(ours), shared(theirs))
    for (const key of ['User', 'WorkingDir', 'Env', 'Entrypoint', 'Cmd'])
      assert.deepEqual(ours?.config.config[key], theirs?.config.config[key], key)
  })

  for (const maker of MAKERS) {
    it(`made by ${maker} looks the same to slipway and pack`, async t => {
      if (cannot(t)) return
      const name = await builder(maker)
      const ours = JSON.parse((await ground.slipway('builder', 'inspect', name, '--json')).stdout)
      const theirs = JSON.parse(await ground.pack('builder', 'inspect', name, '--output', 'json'))
      assert.deepEqual(common(ours.remote_info, theirs.remote_info), theirs.remote_info)
    })
  }
})

describe('a buildpackage', () => {
  for (const [maker, user] of pairs) {
    it(`made by ${maker} is used by ${user}`, async t => {
      if (cannot(t)) return
      const name = `${ground.registry}/app/package-of-${maker}-used-by-${user}`
      const words = ['--builder', await builder('reference'), '--buildpack', await buildpackage(maker)]
      await build(user, name, words)
      assert.equal(layersOf(await look(name)).tool, layersOf(await look(await image(user))).tool)
    })
  }

  it('has the same layer, whoever made it', async t => {
    if (cannot(t, { docker: false })) return
    const layers = await Promise.all(
      MAKERS.map(async maker => {
        const directory = join(ground.place.directory, `unpacked-${maker}`)
        mkdirSync(directory)
        const { code } = await ground.place.run('tar', ['-xf', await buildpackage(maker), '-C', directory], {
          uid: 0,
        })
        assert.equal(code, 0)
        const blob = (digest: string) =>
          JSON.parse(readFileSync(join(directory, 'blobs', digest.replace(':', '/')), 'utf8'))
        const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'))
        const config = blob(blob(index.manifests[0].digest).config.digest)
        return { diffIds: config.rootfs.diff_ids, labels: config.config.Labels }
      }),
    )
    assert.deepEqual(layers[0], layers[1])
  })
})

describe('a cache image', () => {
  for (const [maker, user] of pairs) {
    it(`written by ${maker} is read by ${user}`, async t => {
      if (cannot(t)) return
      const cache = `${ground.registry}/cache/${maker}-for-${user}`
      const words = ['--builder', await builder('reference'), '--cache-image', cache, '--clear-cache']
      await build(maker, `${ground.registry}/app/cached-${maker}-${user}`, words)
      const again = ['--builder', await builder('reference'), '--cache-image', cache]
      const name = `${ground.registry}/app/cached-${maker}-${user}-again`
      await ground.crane('copy', `${ground.registry}/app/cached-${maker}-${user}`, name)
      const said = await build(user, name, again)
      assert.match(said, /kept word restored/)
      assert.match(said, /downloads restored/)
    })
  }
})
