import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LIFECYCLE_LABEL, printLifecycleMetadata } from '#cnb'
import { append, emptyImage, type Image, type ImageConfig, type Layer, OCI, type RunConfig } from '#oci'
import { digestOf, type Problem, recording } from '#std'
import { appImage } from './app-image.ts'
import { type RebaseOptions, rebaseImage } from './rebase.ts'

const created = 1_700_000_000

function layerOf(text: string): Layer {
  const digest = digestOf(text)
  const never = () => Promise.reject(new Error('a rebase reads no layer'))
  return {
    diffId: digest,
    blob: { mediaType: OCI.layer, digest, size: text.length },
    compressed: never,
    uncompressed: never,
  }
}

interface Base {
  readonly layers: readonly string[]
  readonly labels?: Record<string, string>
  readonly config?: Partial<ImageConfig>
}

function baseOf({ layers, labels = {}, config = {} }: Base): Image {
  const image = append(
    emptyImage('linux', 'amd64'),
    layers.map(text => ({ layer: layerOf(text), history: { created_by: `base ${text}` } })),
  )
  const settings: RunConfig = {
    User: '1001:1001',
    Env: ['PATH=/bin'],
    Labels: { 'io.buildpacks.base.id': 'acme', ...labels },
  }
  return { ...image, config: { ...image.config, config: settings, ...config } }
}

/** An app with these layers on a base, as an export makes it. */
function appOn(
  base: Image,
  layers: readonly string[],
  labels: Record<string, string> = {},
  platformApi = '0.15' as const,
): Image {
  const additions = layers.map(text => ({ layer: layerOf(text), history: { created_by: `app ${text}` } }))
  const metadata = printLifecycleMetadata({
    app: [{ sha: layerOf(layers.at(-1) as string).diffId }],
    buildpacks: [],
    config: { sha: '' },
    launcher: { sha: '' },
    processTypes: { sha: '' },
    runImage: {
      topLayer: base.layers.at(-1)?.diffId as string,
      reference: `run@${digestOf(base.layers.map(each => each.diffId).join())}`,
      image: 'run',
      mirrors: ['mirror.example/run'],
    },
    stack: { runImage: { image: 'run', mirrors: ['mirror.example/run'] } },
  })
  return appImage(base, additions, {
    appDirectory: '/workspace',
    layersDirectory: '/layers',
    platformApi,
    created,
    labels: { [LIFECYCLE_LABEL]: metadata, ...labels },
    start: { launcher: true, defaultType: 'web' },
  })
}

const old = baseOf({ layers: ['os 1', 'runtime 1'] })
const patched = baseOf({ layers: ['os 2', 'more 2', 'runtime 2'] })

function rebase(app: Image, runImage: Image, change: Partial<RebaseOptions> = {}): Image {
  const reference = `run@${digestOf(runImage.layers.map(each => each.diffId).join())}`
  return rebaseImage({ app, appName: 'shop', runImage, runImageName: 'run', reference, created, ...change })
}

function refuses(app: Image, runImage: Image, code: string, change: Partial<RebaseOptions> = {}): void {
  assert.throws(
    () => rebase(app, runImage, change),
    (error: Problem) => {
      assert.deepEqual([error.code, error.exitCode], [code, 72])
      return true
    },
  )
}

describe('rebaseImage', () => {
  it('gives the image that a build on the new base would have given', () => {
    assert.deepEqual(json(rebase(appOn(old, ['dep', 'app']), patched)), json(appOn(patched, ['dep', 'app'])))
  })

  it('keeps every app layer and its history, whatever the bases are made of, and is undone by rebasing back', () => {
    const texts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(texts, texts, texts, (first, second, layers) => {
        const from = baseOf({ layers: first.map(text => `from ${text}`) })
        const to = baseOf({ layers: second.map(text => `to ${text}`) })
        const app = appOn(from, layers)
        const there = rebase(app, to)
        assert.deepEqual(there.layers.slice(to.layers.length), app.layers.slice(from.layers.length))
        assert.deepEqual(
          there.config.history?.slice(to.layers.length),
          app.config.history?.slice(from.layers.length),
        )
        assert.equal(there.config.history?.length, there.layers.length)
        assert.deepEqual(json(rebase(there, from)), json(app))
      }),
      { numRuns: 100 },
    )
  })

  it('takes platform and base labels from the new base, and nothing else', () => {
    const app = appOn(
      baseOf({ layers: ['a'], labels: { 'io.buildpacks.stack.id': 'gone', 'org.example.base': 'old' } }),
      ['app'],
    )
    const newer = baseOf({
      layers: ['b'],
      labels: {
        'io.buildpacks.base.distro.version': '',
        'org.example.base': 'new',
        'io.buildpacks.rebasable': 'false',
      },
      config: { variant: 'v8', 'os.version': '10' },
    })
    const { config } = rebase(app, newer)
    assert.equal(config.variant, 'v8')
    assert.equal(config['os.version'], '10')
    assert.equal(config.config?.Labels?.['io.buildpacks.stack.id'], undefined)
    assert.equal(config.config?.Labels?.['io.buildpacks.base.distro.version'], '')
    assert.equal(config.config?.Labels?.['org.example.base'], 'old')
    assert.equal(config.config?.Labels?.['io.buildpacks.rebasable'], undefined)
    assert.deepEqual(config.config?.Env, app.config.config?.Env)
    assert.ok(!('variant' in rebase(rebase(app, newer), old).config))
  })

  it('names the new base in the label, and leaves the rest of it alone', () => {
    const app = appOn(old, ['app'])
    const label = JSON.parse(app.config.config?.Labels?.[LIFECYCLE_LABEL] as string)
    const changed = {
      ...app,
      config: {
        ...app.config,
        config: {
          ...app.config.config,
          Labels: { [LIFECYCLE_LABEL]: JSON.stringify({ ...label, app: 'old text', other: 1 }) },
        },
      },
    }
    const after = JSON.parse(
      rebase(changed, patched, { reference: 'run@x' }).config.config?.Labels?.[LIFECYCLE_LABEL] as string,
    )
    const { runImage, ...others } = after
    assert.deepEqual(others, { ...without(label, 'runImage'), app: 'old text', other: 1 })
    assert.deepEqual(runImage, {
      ...label.runImage,
      topLayer: patched.layers.at(-1)?.diffId,
      reference: 'run@x',
    })
  })

  it('refuses another operating system, architecture or variant', () => {
    const app = appOn(baseOf({ layers: ['a'], config: { variant: 'v7' } }), ['app'])
    refuses(app, baseOf({ layers: ['b'], config: { os: 'windows' } }), 'REBASE_PLATFORM_DIFFERS')
    refuses(app, baseOf({ layers: ['b'], config: { architecture: 'arm64' } }), 'REBASE_PLATFORM_DIFFERS')
    refuses(app, baseOf({ layers: ['b'], config: { variant: 'v8' } }), 'REBASE_PLATFORM_DIFFERS')
    assert.ok(rebase(app, baseOf({ layers: ['b'] })))
  })

  it('refuses another distribution or release', () => {
    const of = (name: string, version: string) =>
      baseOf({
        layers: [name, version],
        labels: { 'io.buildpacks.base.distro.name': name, 'io.buildpacks.base.distro.version': version },
      })
    refuses(appOn(of('debian', '12'), ['app']), of('debian', '13'), 'REBASE_DISTRIBUTION_DIFFERS')
    refuses(appOn(of('debian', '12'), ['app']), of('ubuntu', '12'), 'REBASE_DISTRIBUTION_DIFFERS')
    refuses(appOn(old, ['app']), of('debian', '12'), 'REBASE_DISTRIBUTION_DIFFERS')
    assert.ok(rebase(appOn(of('debian', '12'), ['app']), old))
    assert.ok(rebase(appOn(of('debian', '12'), ['app']), of('debian', '12')))
  })

  it('refuses an image that forbids it, and a base under a name that the image does not list', () => {
    refuses(appOn(old, ['app'], { 'io.buildpacks.rebasable': 'false' }), patched, 'REBASE_FORBIDDEN')
    assert.ok(rebase(appOn(old, ['app'], { 'io.buildpacks.rebasable': 'no' }), patched))
    refuses(appOn(old, ['app']), patched, 'REBASE_RUN_IMAGE_UNLISTED', { runImageName: 'run:other' })
    for (const runImageName of [
      'run:latest',
      'docker.io/library/run',
      `mirror.example/run@${digestOf('')}`,
    ]) {
      assert.ok(rebase(appOn(old, ['app']), patched, { runImageName }))
    }
  })

  it('accepts a base of another name that is of the same kind and has every package of the old one', () => {
    const having = (...packages: string[]) =>
      baseOf({
        layers: ['x', ...packages],
        labels: { 'io.buildpacks.stack.mixins': JSON.stringify(packages) },
      })
    const app = appOn(having('bash', 'libc6'), ['app'])
    const runImageName = 'run:other'
    const rebased = rebase(app, having('bash', 'curl', 'libc6'), { runImageName })
    const label = JSON.parse(rebased.config.config?.Labels?.[LIFECYCLE_LABEL] as string)
    assert.equal(label.runImage.image, 'run')
    refuses(app, having('libc6'), 'REBASE_RUN_IMAGE_UNLISTED', { runImageName })
    const elsewhere = having('bash', 'libc6')
    const labels = { ...elsewhere.config.config?.Labels, 'io.buildpacks.base.id': 'other' }
    const other = { ...elsewhere, config: { ...elsewhere.config, config: { Labels: labels } } }
    refuses(app, other, 'REBASE_RUN_IMAGE_UNLISTED', { runImageName })
  })

  it('goes on when forced, says so, and takes the new name', () => {
    const report = recording()
    const app = appOn(old, ['app'], { 'io.buildpacks.rebasable': 'false' })
    const { config } = rebase(app, baseOf({ layers: ['b'], config: { architecture: 'arm64' } }), {
      force: true,
      runImageName: 'new',
      report,
    })
    assert.equal(report.lines.filter(line => line.startsWith('Warning: Cannot rebase shop')).length, 3)
    const label = JSON.parse(config.config?.Labels?.[LIFECYCLE_LABEL] as string)
    assert.equal(label.runImage.image, 'new')
    assert.equal(label.runImage.mirrors, undefined)
    assert.deepEqual(label.stack, { runImage: { image: 'new' } })
    assert.equal(config.architecture, 'arm64')
  })

  it('refuses what is no image of a lifecycle, even when forced', () => {
    refuses(old, patched, 'REBASE_NOT_BUILT', { force: true })
    const broken = appOn(old, ['app'], { [LIFECYCLE_LABEL]: '{' })
    refuses(broken, patched, 'REBASE_NOT_BUILT', { force: true })
    refuses(
      appOn(old, ['app'], { [LIFECYCLE_LABEL]: '{"stack":{"runImage":{"image":"run"}}}' }),
      patched,
      'REBASE_NOT_BUILT',
    )
    const other = JSON.stringify({ runImage: { topLayer: digestOf('elsewhere'), image: 'run' } })
    refuses(appOn(old, ['app'], { [LIFECYCLE_LABEL]: other }), patched, 'OCI_NOT_BASED_ON')
    refuses(appOn(old, ['app']), emptyImage('linux', 'amd64'), 'REBASE_NOT_BUILT')
  })

  it('compares stacks and mixins where the image is from before targets', () => {
    const stack = (id: string, mixins: readonly string[], layers: readonly string[]) =>
      baseOf({
        layers,
        labels: { 'io.buildpacks.stack.id': id, 'io.buildpacks.stack.mixins': JSON.stringify(mixins) },
      })
    const api = '0.11' as unknown as '0.15'
    const app = appOn(stack('acme', ['git', 'run:curl'], ['a']), ['app'], {}, api)
    assert.ok(rebase(app, stack('acme', ['curl', 'git', 'more'], ['b'])))
    refuses(app, stack('acme', ['git'], ['b']), 'REBASE_STACK_DIFFERS')
    refuses(app, stack('other', ['git', 'curl'], ['b']), 'REBASE_STACK_DIFFERS', { force: true })
    refuses(app, patched, 'REBASE_STACK_DIFFERS')
  })
})

function without(value: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key))
}

/** What is written of an image: the order of keys counts, the functions of its layers do not. */
function json(image: Image): string {
  return JSON.stringify([image.config, image.layers.map(({ blob }) => blob)], null, 1)
}
