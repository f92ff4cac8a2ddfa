import { tmpdir } from 'node:os'
import { append, configure, emptyImage, type LayoutStore, label, openLayout, type StoredImage } from '#oci'
import { type Digest, packTar, type TarEntry, temporaryDirectory } from '#std'

type Files = Readonly<Record<string, string>>

/** A store in a directory of its own, gone when disposed. */
export async function temporaryStore(): Promise<
  AsyncDisposable & { readonly store: LayoutStore; readonly path: string }
> {
  const directory = await temporaryDirectory(tmpdir(), 'slipway-store-')
  const { path } = directory
  return {
    store: openLayout(`${path}/images`),
    path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

/** What an app image is to be like, where it differs from the usual. */
export interface AppImage {
  readonly base?: readonly Files[]
  readonly sbom?: Files
  readonly labels?: Readonly<Record<string, string>>
  readonly entrypoint?: readonly string[]
}

export const cycloneDx = (...names: string[]) =>
  JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.4',
    components: names.map(name => ({ type: 'library', name, version: '1', purl: `pkg:npm/${name}@1` })),
  })

/**
 * Writes `shop`, an image as the reference lifecycle exports it (Platform API 0.12 and later): base, one launch layer, bills, two slices of
 * which the second is empty, launcher, configuration, process types; with its labels.
 */
export async function writeAppImage(store: LayoutStore, wanted: AppImage = {}): Promise<StoredImage> {
  const { base = [{ 'etc/os-release': 'ID=debian\nVERSION_ID="13"\n' }] } = wanted
  const sbom = wanted.sbom ?? { '/layers/sbom/launch/acme_bp/dep/sbom.cdx.json': cycloneDx('left-pad') }
  const own: readonly (readonly [string, Files])[] = [
    ["Layer: 'dep', Created by buildpack: acme/bp@1.0.0", { '/layers/acme_bp/dep/x': '1' }],
    ['Software Bill-of-Materials', sbom],
    ['Application Slice: 1', { '/workspace/static/a': '1' }],
    ['Application Slice: 2', {}],
    ['Buildpacks Application Launcher', { '/cnb/lifecycle/launcher': '1' }],
    ['Buildpacks Launcher Config', { '/layers/config/metadata.toml': '' }],
    ['Buildpacks Process Types', { '/cnb/process/web': '1' }],
  ]
  let image = { ...emptyImage('linux', 'amd64') }
  const digests: Digest[] = []
  for (const [created_by, files] of [...base.map(files => ['base', files] as const), ...own]) {
    const layer = await store.addLayer(() => layerTar(files))
    digests.push(layer.diffId)
    image = append(image, [{ layer, history: { created_by } }])
  }
  const [top] = digests.slice(base.length - 1)
  const shas = digests.slice(base.length) as [Digest, Digest, Digest, Digest, Digest, Digest, Digest]
  const labels = { ...referenceLabels(top as Digest, shas), ...wanted.labels }
  const config = {
    User: '1001:1001',
    WorkingDir: '/workspace',
    Entrypoint: wanted.entrypoint ?? ['/cnb/process/web'],
    Env: ['CNB_LAYERS_DIR=/layers', 'CNB_PLATFORM_API=0.12'],
  }
  const created = { ...image, config: { ...image.config, created: '1980-01-01T00:00:01Z' } }
  return store.write(label(configure(created, config), labels), ['shop'])
}

/** Labels in the words of the reference lifecycle. */
function referenceLabels(
  topLayer: Digest,
  shas: readonly [Digest, Digest, Digest, Digest, Digest, Digest, Digest],
) {
  const [dep, sbom, first, second, launcher, config, types] = shas.map(sha => ({ sha }))
  const names = { image: 'registry.example/run:noble', mirrors: ['mirror.example/run:noble'] }
  const layer = { ...dep, data: null, build: false, launch: true, cache: false }
  return {
    'io.buildpacks.base.distro.name': 'debian',
    'io.buildpacks.base.distro.version': '13',
    'io.buildpacks.stack.id': 'io.example.stack',
    'io.buildpacks.lifecycle.metadata': JSON.stringify({
      app: [first, second],
      sbom,
      buildpacks: [{ key: 'acme/bp', version: '1.0.0', layers: { dep: layer } }],
      config,
      launcher,
      'process-types': types,
      runImage: { topLayer, reference: `registry.example/run@sha256:${'8'.repeat(64)}`, ...names },
      stack: { runImage: names },
    }),
    'io.buildpacks.build.metadata': JSON.stringify({
      buildpacks: [{ id: 'acme/bp', version: '1.0.0', homepage: 'https://acme.example' }],
      launcher: { version: '0.21.17', source: { git: { repository: '', commit: '' } } },
      processes: [
        {
          type: 'task',
          command: ['run'],
          args: null,
          direct: false,
          buildpackID: 'acme/bp',
          'working-dir': '/tmp',
        },
        { type: 'web', command: ['run', 'one'], args: ['two'], direct: true, buildpackID: 'acme/bp' },
      ],
      'buildpack-default-process-type': 'web',
    }),
    'io.buildpacks.project.metadata': '{}',
  }
}

/** The tar of a layer with these files. */
export function layerTar(files: Files) {
  return packTar(
    Object.entries(files).map(([name, text]): TarEntry => {
      const content = Buffer.from(text)
      return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: content.length, content }
    }),
  )
}
