import assert from 'node:assert/strict'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  type BuildMetadata,
  type GroupMember,
  type LaunchProcess,
  parseBuildpackId,
  parseLifecycleMetadata,
  parseProcessType,
  printMetadata,
} from '#cnb'
import { append, emptyImage, labelsOf, openLayout, type StoredImage } from '#oci'
import { type Problem, packTar, recording, type TemporaryDirectory, temporaryDirectory } from '#std'
import type { Places } from './executor.ts'
import { type ExportOptions, exportImage } from './export.ts'
import { LaunchFactsIndex } from './launch-facts-index.ts'
import { StatIndex } from './stat-index.ts'
import { makeTree, type Node } from './tree.testing.ts'

const member: GroupMember = { id: parseBuildpackId('acme/bp', 'a test'), version: '1.0.0', api: '0.10' }
const web: LaunchProcess = {
  type: parseProcessType('web', 'a test'),
  command: ['run'],
  args: [],
  direct: true,
  execEnv: [],
  buildpackId: member.id,
}
const worker = { ...web, type: parseProcessType('worker', 'a test'), args: ['w'] }
const metadata: BuildMetadata = {
  buildpacks: [member],
  extensions: [],
  labels: [{ key: 'org.example.kind', value: 'test' }],
  processes: [web, worker],
  slices: [{ paths: ['static/*'] }],
  defaultProcessType: 'web',
}

/** The tree of the golden vector. */
const FILES: Record<string, Node> = {
  'layers/acme_bp/dep.toml':
    '[types]\nlaunch = true\n\n[metadata]\nversion = 3\nwhen = 2024-01-02T03:04:05Z\n',
  'layers/acme_bp/dep/a/x': '1\n',
  'layers/acme_bp/dep/a-b': '2\n',
  'layers/acme_bp/dep/bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
  'layers/acme_bp/dep/link': { link: 'bin/run' },
  'layers/acme_bp/tools.toml': '[types]\nbuild = true\n',
  'layers/acme_bp/tools/bin/tool': 'build only\n',
  'layers/acme_bp/unannounced/file': 'no toml\n',
  'layers/acme_bp/store.toml': '[metadata]\nseen = "yes"\n',
  'layers/sbom/launch/sbom.legacy.json': 'null\n',
  'layers/config/metadata.toml': printMetadata(metadata),
  'workspace/static/index.html': '<html>\n',
  'workspace/static/css/s.css': 'c\n',
  'workspace/a/x': '1\n',
  'workspace/a-b': '2\n',
  'workspace/app.txt': { content: 'hi\n', mode: 0o600 },
  launcher: 'launcher-bytes\n',
}

const GOLDEN = {
  dep: 'sha256:15f58ae4bc12582c96308238baf2a697d2a001c9ca63cfbf735b28110aea65a8',
  sbom: 'sha256:120601953533b1260c3a9ee4e991869d037a8372d893e659a8aca3dffa7c8e27',
  static: 'sha256:52bbaa9f9a0449a29fa2a38c692630375b559b4bf40b9eb57ccffc7faf8bc54d',
  rest: 'sha256:4dce7f03968c10ca4e8e60db33334206a1a1d55a3f479c512a5fa28ff285609d',
  launcher: 'sha256:8475258d00206dcadd7e488eb1f74481d4ffa775eafc8847cb1064c85676acc9',
  processTypes: 'sha256:c32b6c6d08c5d84a980a518d1dd9093c22b9e003f2b6b468f12fe1e7cd918b3f',
}

describe('exportImage', () => {
  let directory: TemporaryDirectory
  let runImage: StoredImage
  beforeEach(async () => {
    directory = await temporaryDirectory(tmpdir(), 'export-')
    await makeTree(directory.path, FILES)
    runImage = await makeRunImage()
  })
  afterEach(() => directory[Symbol.asyncDispose]())

  const at = (name: string) => join(directory.path, name)
  const store = () => openLayout(at('store'))
  const places = (): Places => ({
    app: { host: at('workspace'), inside: '/workspace' },
    layers: { host: at('layers'), inside: '/layers' },
    platform: { host: at('platform'), inside: '/platform' },
  })

  async function makeRunImage(): Promise<StoredImage> {
    const layer = await store().addLayer(() => packTar([]))
    const image = append(emptyImage('linux', 'amd64'), [{ layer, history: { created_by: 'base' } }])
    const config = {
      ...image.config,
      variant: 'v2',
      config: {
        User: '1001:1000',
        Env: ['PATH=/usr/bin:/bin', 'LANG=C.UTF-8'],
        Cmd: ['/bin/sh'],
        Labels: { 'io.buildpacks.base.id': 'acme' },
      },
    }
    return store().write({ ...image, config }, ['run'])
  }

  function options(change: Partial<ExportOptions> = {}): ExportOptions & { readonly lines: string[] } {
    const report = recording()
    const choice = 'always' as const
    return {
      store: store(),
      names: ['shop'],
      places: places(),
      rules: { owner: { uid: 1001, gid: 1000 }, parents: 'fixed' },
      platformApi: '0.15',
      runImage: {
        image: runImage,
        reference: 'run@sha256:88',
        names: { image: 'run', mirrors: ['mirror.example/run'] },
      },
      buildpacks: [member],
      metadata,
      launcher: { choice, file: async () => at('launcher'), info: { version: '1.2.3' } },
      execEnv: 'production',
      created: 1_700_000_000,
      report,
      lines: report.lines,
      ...change,
    }
  }

  const memory = () => ({
    stats: new StatIndex(at('state/stats')),
    facts: new LaunchFactsIndex(at('state/facts')),
  })

  it('makes the layers of the golden vector, in order', async () => {
    const { image, layers } = await exportImage(options())
    const config = layers.find(({ identifier }) => identifier.endsWith(':config'))?.layer.diffId as string
    const { dep, sbom, static: slice, rest, launcher, processTypes } = GOLDEN
    assert.deepEqual(
      image.layers.slice(1).map(({ diffId }) => diffId),
      [dep, sbom, slice, rest, launcher, config, processTypes],
    )
    assert.deepEqual(
      image.config.history?.map(line => line.created_by),
      [
        'base',
        "Layer: 'dep', Created by buildpack: acme/bp@1.0.0",
        'Software Bill-of-Materials',
        'Application Slice: 1',
        'Application Slice: 2',
        'Buildpacks Application Launcher',
        'Buildpacks Launcher Config',
        'Buildpacks Process Types',
      ],
    )
  })

  it('sets what the reference sets, and keeps what the run image says', async () => {
    const { image } = await exportImage(options())
    const { config, variant, created, history } = image.config
    assert.equal(variant, 'v2')
    assert.equal(created, '2023-11-14T22:13:20Z')
    assert.ok(history?.every(line => line.created === created))
    assert.deepEqual(config?.Entrypoint, ['/cnb/process/web'])
    assert.ok(!('Cmd' in (config ?? {})))
    assert.equal(config?.User, '1001:1000')
    assert.equal(config?.WorkingDir, '/workspace')
    assert.deepEqual(config?.Env, [
      'PATH=/cnb/process:/cnb/lifecycle:/usr/bin:/bin',
      'LANG=C.UTF-8',
      'CNB_LAYERS_DIR=/layers',
      'CNB_APP_DIR=/workspace',
      'CNB_PLATFORM_API=0.15',
      'CNB_DEPRECATION_MODE=quiet',
    ])
  })

  it('labels the image', async () => {
    const { image } = await exportImage(options())
    const labels = labelsOf(image.config)
    assert.deepEqual(Object.keys(labels), [
      'io.buildpacks.base.id',
      'io.buildpacks.lifecycle.metadata',
      'io.buildpacks.build.metadata',
      'io.buildpacks.project.metadata',
      'org.example.kind',
      'io.buildpacks.exec-env',
    ])
    const label = JSON.parse(labels['io.buildpacks.lifecycle.metadata'] as string)
    assert.deepEqual(label.buildpacks, [
      {
        key: 'acme/bp',
        version: '1.0.0',
        layers: {
          dep: {
            sha: GOLDEN.dep,
            data: { version: 3, when: '2024-01-02T03:04:05Z' },
            build: false,
            launch: true,
            cache: false,
          },
        },
        store: { metadata: { seen: 'yes' } },
      },
    ])
    assert.deepEqual(label.app, [{ sha: GOLDEN.static }, { sha: GOLDEN.rest }])
    assert.deepEqual(label.sbom, { sha: GOLDEN.sbom })
    assert.deepEqual(label.launcher, { sha: GOLDEN.launcher })
    assert.deepEqual(label['process-types'], { sha: GOLDEN.processTypes })
    assert.deepEqual(label.runImage, {
      topLayer: runImage.layers[0]?.diffId,
      reference: 'run@sha256:88',
      image: 'run',
      mirrors: ['mirror.example/run'],
    })
    assert.deepEqual(label.stack, { runImage: { image: 'run', mirrors: ['mirror.example/run'] } })
  })

  it('says what the reference says', async () => {
    const first = options()
    const exported = await exportImage(first)
    assert.deepEqual(shown(first.lines), [
      "Adding layer 'acme/bp:dep'",
      "Adding layer 'buildpacksio/lifecycle:launch.sbom'",
      'Added 2/2 app layer(s)',
      "Adding layer 'buildpacksio/lifecycle:launcher'",
      "Adding layer 'buildpacksio/lifecycle:config'",
      "Adding layer 'buildpacksio/lifecycle:process-types'",
      "Adding label 'io.buildpacks.lifecycle.metadata'",
      "Adding label 'io.buildpacks.build.metadata'",
      "Adding label 'io.buildpacks.project.metadata'",
      "Adding label 'org.example.kind'",
      "Adding label 'io.buildpacks.exec-env'",
      "Setting default process type 'web'",
      'Saving shop...',
      `*** Images (${exported.image.digest}):`,
      '      shop',
    ])
    await writeFile(at('workspace/static/index.html'), 'changed\n')
    const second = options({ previous: previousOf(exported.image) })
    await exportImage(second)
    assert.deepEqual(shown(second.lines).slice(0, 6), [
      "Reusing layer 'acme/bp:dep'",
      "Reusing layer 'buildpacksio/lifecycle:launch.sbom'",
      'Reused 1/2 app layer(s)',
      'Added 1/2 app layer(s)',
      "Reusing layer 'buildpacksio/lifecycle:launcher'",
      "Reusing layer 'buildpacksio/lifecycle:config'",
    ])
  })

  it('gives the same digest again, with and without what it remembers', async () => {
    const { digest } = (await exportImage(options())).image
    await rm(at('store'), { recursive: true })
    runImage = await makeRunImage()
    for (let round = 0; round < 3; round++) {
      assert.equal((await exportImage(options({ memory: memory() }))).image.digest, digest)
    }
  })

  it('writes report.toml', async () => {
    const { image } = await exportImage(
      options({ names: ['shop', 'shop:2'], reportFile: at('layers/report.toml') }),
    )
    assert.equal(
      await readFile(at('layers/report.toml'), 'utf8'),
      `[image]\ntags = [ "shop", "shop:2" ]\ndigest = "${image.digest}"\nmanifest-size = ${image.manifestSize}\n`,
    )
  })

  it('reuses a launch layer without contents from the previous image', async () => {
    const first = await exportImage(options({ memory: memory() }))
    await rm(at('layers/acme_bp/dep'), { recursive: true })
    const second = await exportImage(options({ previous: previousOf(first.image), memory: memory() }))
    assert.equal(second.image.digest, first.image.digest)
  })

  it('refuses a launch layer without contents that no image has, or that is to be cached', async () => {
    const first = await exportImage(options())
    await rm(at('layers/acme_bp/dep'), { recursive: true })
    await refused(options(), 'LAYER_UNREUSABLE')
    await writeFile(at('layers/acme_bp/dep.toml'), '[types]\nlaunch = true\ncache = true\n')
    await refused(options({ previous: previousOf(first.image) }), 'LAYER_UNREUSABLE')
  })

  it('ends with 62 on malformed layers, links in place of directories, reserved labels and unknown processes', async () => {
    await refused(options({ processType: 'cron' }), 'PROCESS_TYPE_UNKNOWN')
    const labels = [{ key: 'io.buildpacks.lifecycle.metadata', value: '{}' }]
    await refused(options({ metadata: { ...metadata, labels } }), 'LABEL_RESERVED')
    await refused(
      options({ metadata: { ...metadata, slices: [{ paths: ['[a'] }] } }),
      'SLICE_PATTERN_MALFORMED',
    )
    await writeFile(at('layers/acme_bp/bad.toml'), 'launch = true\n')
    await refused(options(), 'DOCUMENT_INVALID')
    await writeFile(at('layers/acme_bp/bad.toml'), '[types]\nlaunch = true\n')
    await makeTree(directory.path, { 'layers/acme_bp/bad': { link: '/etc' } })
    await refused(options(), 'PLACE_NOT_DIRECTORY')
    await rm(at('layers/acme_bp'), { recursive: true })
    await makeTree(directory.path, { 'layers/acme_bp': { link: '../workspace' } })
    await refused(options(), 'PLACE_NOT_DIRECTORY')
    assert.equal(await store().image('shop'), undefined)
  })

  it('makes an image without a launcher where none is needed', async () => {
    await makeTree(directory.path, {
      'layers/acme_bp/dep/env/MODE': 'fast',
      'layers/acme_bp/dep/env.launch/LANG.append': 'de',
      'layers/acme_bp/dep/env.launch/LANG.delim': ':',
    })
    const { image, launcher, layers } = await exportImage(
      options({
        launcher: { ...options().launcher, choice: 'auto' },
        metadata: { ...metadata, processes: [{ ...web, args: ['a'] }] },
      }),
    )
    assert.equal(launcher, false)
    assert.deepEqual(
      layers.map(({ identifier }) => identifier),
      [
        'acme/bp:dep',
        'buildpacksio/lifecycle:launch.sbom',
        'slice-1',
        'slice-2',
        'buildpacksio/lifecycle:config',
      ],
    )
    assert.deepEqual(image.config.config?.Entrypoint, ['/layers/acme_bp/dep/bin/run'])
    assert.deepEqual(image.config.config?.Cmd, ['a'])
    assert.deepEqual(image.config.config?.Env, [
      'PATH=/layers/acme_bp/dep/bin:/usr/bin:/bin',
      'LANG=C.UTF-8:de',
      'CNB_LAYERS_DIR=/layers',
      'CNB_APP_DIR=/workspace',
      'CNB_PLATFORM_API=0.15',
      'CNB_DEPRECATION_MODE=quiet',
      'MODE=fast',
    ])
    const { launcher: own, processTypes } = parseLifecycleMetadata(
      labelsOf(image.config)['io.buildpacks.lifecycle.metadata'] as string,
      'a test',
    )
    assert.deepEqual([own.sha, processTypes.sha], ['', ''])
  })

  it('starts the same way when its launch layer comes from the previous image', async () => {
    await makeTree(directory.path, { 'layers/acme_bp/dep/env/MODE': 'fast' })
    const launcher = { ...options().launcher, choice: 'auto' as const }
    const first = await exportImage(options({ launcher }))
    await rm(at('layers/acme_bp/dep'), { recursive: true })
    const previous = previousOf(first.image)
    // Once out of the layer's tar, once out of what was remembered of it.
    for (let round = 0; round < 2; round++) {
      assert.equal(
        (await exportImage(options({ launcher, previous, memory: memory() }))).image.digest,
        first.image.digest,
      )
    }
  })

  it('shows no umask of the lifecycle in what the lifecycle wrote', async () => {
    const { digest } = (await exportImage(options())).image
    await chmod(at('layers/config/metadata.toml'), 0o600)
    await chmod(at('layers/config'), 0o700)
    await chmod(at('layers/sbom/launch'), 0o700)
    await chmod(at('layers'), 0o700)
    await chmod(at('workspace'), 0o700)
    assert.equal((await exportImage(options())).image.digest, digest)
  })

  async function refused(wrong: ExportOptions, code: string): Promise<void> {
    await assert.rejects(exportImage(wrong), (error: Problem) => {
      assert.deepEqual([error.code, error.exitCode], [code, 62])
      return true
    })
  }
})

function previousOf(image: StoredImage) {
  const label = labelsOf(image.config)['io.buildpacks.lifecycle.metadata'] as string
  return { image, metadata: parseLifecycleMetadata(label, 'a test') }
}

/** The lines that a user sees without `--verbose`. */
function shown(lines: readonly string[]): string[] {
  return lines.filter(line => !/ SHA: |\*\*\* (?:Digest|Manifest)/.test(line))
}
