import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseBuildpackId, parseMetadata } from '../../src/cnb/mod.ts'
import { exportCache, exportImage, openVolumeCache, rebaseImage } from '../../src/lifecycle/mod.ts'
import { makeTree } from '../../src/lifecycle/tree.testing.ts'
import {
  append,
  emptyImage,
  type ImageConfig,
  type Layer,
  openLayout,
  type StoredImage,
} from '../../src/oci/mod.ts'
import { packTar, recording, type TemporaryDirectory, temporaryDirectory } from '../../src/std/mod.ts'

/**
 * The reference lifecycle exports, caches and rebases the same directories; configuration, labels, caches and what is said about them have to
 * agree. Needs Go, and the Go modules of the reference from the module cache or proxy.
 */

const METADATA = `buildpack-default-process-type = "web"
[[buildpacks]]
api = "0.10"
id = "acme/bp"
version = "1.0.0"
homepage = "https://acme.example"
[[buildpacks]]
api = "0.12"
id = "acme/none"
version = "2.0.0"
[[labels]]
key = "org.example.kind"
value = "a <b> & c"
[[processes]]
type = "web"
command = ["run"]
direct = true
buildpack-id = "acme/bp"
working-dir = "/tmp"
exec-env = ["production", "test"]
[[processes]]
type = "worker"
command = ["run", "x"]
args = ["w"]
direct = true
buildpack-id = "acme/bp"
[[slices]]
paths = ["static/*", "[a-b]"]
[[slices]]
paths = ["none"]
`
const LAYER = `[types]
launch = true
cache = true
[metadata]
version = 3
z = "a<b"
float = 1.5
when = 2024-01-02T03:04:05.120Z
[metadata.table]
b = [1, 2]
a = true
`

let directory: TemporaryDirectory
let missing: string | undefined
let ours: StoredImage
const lines = { ours: [] as string[], theirs: [] as string[] }
const at = (name: string) => join(directory.path, name)

before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'oracle-')
  try {
    const options = {
      cwd: join(import.meta.dirname, '../oracle-export'),
      stdio: 'pipe',
      timeout: 900_000,
    } as const
    execFileSync('go', ['build', '-o', at('oracle'), '.'], options)
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    missing = code === 'ENOENT' ? 'there is no Go on this machine' : `the oracle does not build: ${stderr}`
    return
  }
  await plant()
  ours = await exportOurs()
  lines.theirs = execFileSync(at('oracle'), ['export', directory.path]).toString().split('\n')
})
after(() => directory[Symbol.asyncDispose]())

async function plant(): Promise<void> {
  await makeTree(directory.path, {
    'layers/acme_bp/dep.toml': LAYER,
    'layers/acme_bp/dep/a/x': '1\n',
    'layers/acme_bp/dep/a-b': '2\n',
    'layers/acme_bp/dep/bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
    'layers/acme_bp/dep/link': { link: 'bin/run' },
    'layers/acme_bp/a.b.toml': '[types]\ncache = true\n',
    'layers/acme_bp/a.b/file': 'x',
    'layers/acme_bp/empty.toml': '[types]\nlaunch = true\n',
    'layers/acme_bp/empty': { directory: 0o755 },
    'layers/acme_bp/tools.toml': '[types]\nbuild = true\n',
    'layers/acme_bp/tools/bin/tool': 'build only\n',
    'layers/acme_bp/store.toml': '[metadata]\nseen = "yes"\n',
    'layers/sbom/launch/sbom.legacy.json': 'null\n',
    'layers/sbom/cache/acme_bp/a.b/sbom.cdx.json': '{}',
    'layers/config/metadata.toml': METADATA,
    'workspace/static/index.html': '<html>\n',
    'workspace/static/css/s.css': 'c\n',
    'workspace/a/x': '1\n',
    'workspace/a-b': '2\n',
    'workspace/app.txt': { content: 'hi\n', mode: 0o600 },
    launcher: { content: 'launcher-bytes\n', mode: 0o700 },
  })
  await makeBase('base', ['1'], {
    'io.buildpacks.base.id': 'acme',
    'io.buildpacks.stack.id': 'old',
    'org.example.base': 'kept',
  })
  await makeBase('base2', ['2', '3'], {
    'io.buildpacks.base.id': 'acme',
    'io.buildpacks.base.released': 'now',
    'org.example.base': 'other',
  })
}

/** A base with a layer for each text, in a layout of its own and in the store. */
async function makeBase(
  name: string,
  texts: readonly string[],
  labels: Record<string, string>,
): Promise<void> {
  for (const store of [openLayout(at('store')), openLayout(at(name))]) {
    let image = emptyImage('linux', 'amd64')
    for (const text of texts) {
      const content = Buffer.from(text)
      const file = {
        name: '/base',
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0,
        size: content.length,
        content,
      } as const
      image = append(image, [
        { layer: await store.addLayer(() => packTar([file])), history: { created_by: `base ${text}` } },
      ])
    }
    const config = {
      User: '1001:1000',
      Env: ['PATH=/usr/bin:/bin', 'LANG=C.UTF-8', 'CNB_APP_DIR=/replaced'],
      Entrypoint: ['/gone'],
      Cmd: ['/bin/sh'],
      WorkingDir: '/x',
      ExposedPorts: { '80/tcp': {} },
      Labels: labels,
    }
    await store.write({ ...image, config: { ...image.config, variant: 'v2', config } }, [name])
  }
}

async function exportOurs(): Promise<StoredImage> {
  const store = openLayout(at('store'))
  const run = (await store.image('base')) ?? assert.fail()
  const place = (name: string) => ({ host: at(name), inside: at(name) })
  const places = { app: place('workspace'), layers: place('layers'), platform: place('platform') }
  const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'disk' } as const
  const buildpacks = [
    {
      id: parseBuildpackId('acme/bp', 'a test'),
      version: '1.0.0',
      api: '0.10',
      homepage: 'https://acme.example',
    },
    { id: parseBuildpackId('acme/none', 'a test'), version: '2.0.0', api: '0.12' },
  ] as const
  const report = recording()
  const { image } = await exportImage({
    store,
    names: ['shop'],
    places,
    rules,
    platformApi: '0.15',
    runImage: {
      image: run,
      reference: 'run@sha256:88',
      names: { image: at('base2'), mirrors: ['mirror.example/run'] },
    },
    buildpacks,
    metadata: parseMetadata(METADATA, 'metadata.toml'),
    launcher: { choice: 'always', file: async () => at('launcher'), info: { version: '1.2.3' } },
    project: {
      source: { type: 'git', version: { commit: 'abc' }, metadata: { url: 'https://x.example/?a=1&b=2' } },
    },
    execEnv: 'production',
    created: 1_700_000_000,
    report,
  })
  await mkdir(at('cache'))
  const cache = await openVolumeCache(at('cache'), { ...rules, layers: places.layers })
  assert.equal(await exportCache({ cache, places, rules, buildpacks, report }), true)
  lines.ours = report.lines
  return image
}

/** A layout with nothing but this image in it. */
async function writeLayout(name: string, image: StoredImage): Promise<void> {
  const layout = openLayout(at(name))
  const layers: Layer[] = []
  for (const layer of image.layers) layers.push(await layout.importLayer(layer))
  await layout.write({ ...image, layers }, [name])
}

async function configOf(layout: string): Promise<ImageConfig> {
  const blob = async (digest: string) =>
    JSON.parse(await readFile(at(`${layout}/blobs/${digest.replace(':', '/')}`), 'utf8'))
  const index = JSON.parse(await readFile(at(`${layout}/index.json`), 'utf8'))
  return blob((await blob(index.manifests[0].digest)).config.digest)
}

/** The lifecycle's label without the execution environment, which the specification wants in it and the reference leaves out. */
function withoutExecEnv(config: ImageConfig): Record<string, string> {
  const labels = config.config?.Labels ?? {}
  const label = labels['io.buildpacks.lifecycle.metadata']?.replace(',"exec-env":"production"', '') ?? ''
  return { ...labels, 'io.buildpacks.lifecycle.metadata': label }
}

describe('exportImage and the exporter of the reference', () => {
  it('agree about the configuration', async t => {
    if (missing) return t.skip(missing)
    const theirs = await configOf('reference')
    assert.deepEqual({ ...ours.config, config: null }, { ...theirs, config: null })
    assert.deepEqual({ ...ours.config.config, Labels: null }, { ...theirs.config, Labels: null })
  })

  it('agree about every label, to the byte', async t => {
    if (missing) return t.skip(missing)
    assert.deepEqual(withoutExecEnv(ours.config), (await configOf('reference')).config?.Labels)
  })

  it('say the same', t => {
    if (missing) return t.skip(missing)
    const said = /^(?:Adding|Added|Reusing|Reused|Setting default)/
    const shown = (all: readonly string[]) =>
      all.filter(line => said.test(line) && !/tarball|app layers$/.test(line))
    assert.deepEqual(shown(lines.ours), shown(lines.theirs))
    assert.ok(shown(lines.ours).length > 12)
  })

  it('leave the same cache', async t => {
    if (missing) return t.skip(missing)
    const files = (await readdir(at('cache/committed'))).toSorted()
    assert.deepEqual((await readdir(at('reference-cache/committed'))).toSorted(), files)
    assert.equal(files.length, 4)
    for (const file of files) {
      assert.deepEqual(
        await readFile(at(`cache/committed/${file}`)),
        await readFile(at(`reference-cache/committed/${file}`)),
        file,
      )
    }
  })
})

describe('rebaseImage and the rebaser of the reference', () => {
  it('agree about layers, labels and how to run', async t => {
    if (missing) return t.skip(missing)
    await writeLayout('ours', ours)
    execFileSync(at('oracle'), ['rebase', directory.path])
    const theirs = await configOf('reference-rebased')
    const base = (await openLayout(at('base2')).image('base2')) ?? assert.fail()
    const reference = JSON.parse(theirs.config?.Labels?.['io.buildpacks.lifecycle.metadata'] ?? '').runImage
      .reference
    assert.ok(reference.endsWith(`base2@${base.digest}`), reference)
    const rebased = rebaseImage({
      app: ours,
      appName: 'shop',
      runImage: base,
      runImageName: at('base2'),
      reference,
      created: 0,
    })
    assert.deepEqual(rebased.config.rootfs, theirs.rootfs)
    assert.deepEqual(withoutExecEnv(rebased.config), theirs.config?.Labels)
    assert.deepEqual({ ...rebased.config.config, Labels: null }, { ...theirs.config, Labels: null })
    assert.deepEqual([rebased.config.os, rebased.config.architecture], [theirs.os, theirs.architecture])
  })
})
