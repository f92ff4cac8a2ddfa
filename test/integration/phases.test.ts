import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  parseAnalyzed,
  parseGroup,
  parseLifecycleMetadata,
  parseMetadata,
  parsePlan,
  parseReport,
} from '#cnb'
import {
  type Lifecycles,
  MAKERS,
  type Maker,
  openLifecycles,
  type PhaseEnd,
  type Workshop,
} from '../support/lifecycles.ts'

/**
 * Our lifecycle and the reference's, both as programs, on the same inputs: what they write, make and end with has to agree, phase by phase and in any mixture. Needs Go for the
 * reference; passes reduced, and says so, without.
 */

const BUILDPACK = `api = "0.10"
[buildpack]
id = "acme/all"
version = "1.2.3"
homepage = "https://acme.example"
sbom-formats = ["application/vnd.cyclonedx+json"]
[[targets]]
os = "linux"
`
const DETECT = `#!/bin/sh
echo "looking at $(basename "$PWD")"
[ -f app.txt ] || exit 100
printf '[[provides]]\\nname = "x"\\n[[requires]]\\nname = "x"\\n[requires.metadata]\\nversion = "1"\\n' > "$2"
`
/** A layer of each kind; those that come back are not made again. */
const BUILD = `#!/bin/sh
set -e
l=$1
if [ -f "$l/kept/stamp" ]; then echo "kept came back"; else mkdir -p "$l/kept"; echo one > "$l/kept/stamp"; fi
printf '[types]\\ncache = true\\n' > "$l/kept.toml"
if [ -f "$l/dep.toml" ]; then
  echo "dep came back: $(grep -c v1 "$l/dep.toml") $(ls "$l" | tr '\\n' ' ')"
else
  mkdir -p "$l/dep/bin" "$l/dep/env.launch"
  printf '#!/bin/sh\\n' > "$l/dep/bin/run"; chmod 755 "$l/dep/bin/run"
  ln -s bin/run "$l/dep/link"; printf 1 > "$l/dep/env.launch/A.override"
  echo '{"bomFormat":"CycloneDX","specVersion":"1.4"}' > "$l/dep.sbom.cdx.json"
fi
printf '[types]\\nlaunch = true\\n[metadata]\\nv = "v1"\\n' > "$l/dep.toml"
mkdir -p "$l/tool/bin"; printf '[types]\\nlaunch = true\\nbuild = true\\ncache = true\\n' > "$l/tool.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["run"]\\nargs = ["a"]\\ndefault = true\\n[[processes]]\\ntype = "job"\\ncommand = ["run"]\\n[[slices]]\\npaths = ["static/*"]\\n[[labels]]\\nkey = "mine"\\nvalue = "v"\\n' > "$l/launch.toml"
printf '[metadata]\\nseen = "yes"\\n' > "$l/store.toml"
`

let ground: Lifecycles
let missing: string | undefined
before(async () => {
  const opened = await openLifecycles()
  if (typeof opened === 'string') {
    missing = opened
    return
  }
  ground = opened
  const { write } = ground
  const bin = 'buildpacks/acme_all/1.2.3'
  write(`${bin}/buildpack.toml`, BUILDPACK)
  write(`${bin}/bin/detect`, DETECT, 0o755)
  write(`${bin}/bin/build`, BUILD, 0o755)
  write('order.toml', orderOf('acme/all'))
  write('app/app.txt', 'hi\n')
  write('app/static/s.css', 'c\n')
})
after(() => ground?.[Symbol.asyncDispose]())

const orderOf = (id: string, version = '1.2.3') =>
  `[[order]]\n[[order.group]]\nid = "${id}"\nversion = "${version}"\n`

/** A test that says so where there is no reference. */
const story = (name: string, body: () => Promise<void>) =>
  it(name, async t => {
    if (missing !== undefined) return t.diagnostic(`reduced: ${missing}`)
    await body()
  })

const image = (name: string) => `${ground.host}/${name}`

interface Config {
  readonly config: { readonly Labels: Record<string, string>; readonly [key: string]: unknown }
  readonly rootfs: { readonly diff_ids: readonly string[] }
  readonly history: readonly unknown[]
  readonly [key: string]: unknown
}

/**
 * What is comparable of an image: all of its configuration, but for the layer with metadata.toml, whose spelling is each maker's own, and the maker's version.
 */
function imageOf(reference: string) {
  const config = JSON.parse(ground.crane('config', reference)) as Config
  const { Labels: labels, ...rest } = config.config
  const metadata = parseLifecycleMetadata(labels['io.buildpacks.lifecycle.metadata'] ?? '', reference)
  const same = (sha: string) => (sha === metadata.config.sha ? 'config' : sha)
  const { launcher: _, ...build } = JSON.parse(labels['io.buildpacks.build.metadata'] ?? '{}')
  return {
    ...config,
    config: rest,
    rootfs: config.rootfs.diff_ids.map(same),
    labels: { ...labels, 'io.buildpacks.lifecycle.metadata': '', 'io.buildpacks.build.metadata': '' },
    metadata: { ...metadata, config: {} },
    build,
  }
}

function documentsOf(
  { read }: Workshop,
  names: Readonly<Record<string, (text: string, file: string) => unknown>>,
) {
  return Object.fromEntries(
    Object.entries(names).map(([name, parse]) => [name, parse(read(name) ?? '', name)]),
  )
}
const PARSERS = {
  'group.toml': parseGroup,
  'plan.toml': parsePlan,
  'config/metadata.toml': parseMetadata,
}

function passed({ code, output }: PhaseEnd): string {
  assert.equal(code, 0, output)
  return output
}

const create = (maker: Maker, shop: Workshop, words: readonly string[], env = {}) =>
  ground.run(maker, 'creator', [...shop.flags('creator'), ...words], env)

/** The phases one by one, each by whoever `makers` says, with the last words of the exporter. */
async function build(makers: readonly Maker[], shop: Workshop, name: string): Promise<string> {
  const phases = ['analyzer', 'detector', 'restorer', 'builder', 'exporter']
  const said: string[] = []
  for (const [index, phase] of phases.entries()) {
    const words = phase === 'analyzer' || phase === 'exporter' ? [name] : []
    said.push(passed(await ground.run(makers[index] ?? 'ours', phase, [...shop.flags(phase), ...words])))
  }
  return said.join('')
}

describe('phases beside those of the reference lifecycle', () => {
  for (const api of ['0.12', '0.13', '0.14']) {
    story(`make the same image and documents, at first and again (Platform API ${api})`, async () => {
      const results = []
      for (const maker of MAKERS) {
        const shop = ground.workshop('create')
        const words = ['-tag', image(`create/${maker}:two`), image(`create/${maker}:${api}`)]
        const env = { CNB_PLATFORM_API: api }
        passed(await create(maker, shop, words, env))
        const first = documentsOf(shop, PARSERS)
        const analyzed = parseAnalyzed(shop.read('analyzed.toml') ?? '', 'analyzed.toml')
        shop.renew()
        const again = passed(await create(maker, shop, words, env))
        const report = parseReport(shop.read('report.toml') ?? '', 'report.toml')
        assert.equal(report.digest, ground.crane('digest', image(`create/${maker}:${api}`)).trim())
        assert.equal(report.digest, ground.crane('digest', image(`create/${maker}:two`)).trim())
        assert.match(again, /kept came back\ndep came back: 1 .*dep\.sbom\.cdx\.json/)
        assert.match(again, /Reusing layer 'acme\/all:dep'[\s\S]*Reused 2\/2 app layer\(s\)/)
        const cache = readdirSync(join(shop.cache, 'committed')).sort()
        const kept = readFileSync(
          join(shop.cache, 'committed/io.buildpacks.lifecycle.cache.metadata'),
          'utf8',
        )
        const made = imageOf(image(`create/${maker}:${api}`))
        const tags = report.tags.map(tag => tag.replace(maker, 'maker'))
        results.push({ first, analyzed, cache, kept: JSON.parse(kept), tags, made })
      }
      // Who makes the layers owns the directories that are their parents on this machine.
      const [ours, reference] = results.map(each => JSON.parse(paths(JSON.stringify(each, mapsToObjects))))
      assert.deepEqual(ours, reference)
    })
  }

  story('go on where phases of the other left off, in any mixture', async () => {
    const [ours, theirs] = MAKERS as [Maker, Maker]
    const mixtures: readonly Maker[][] = [
      [theirs, theirs, ours, ours, ours],
      [ours, ours, theirs, theirs, theirs],
      [theirs, ours, theirs, ours, theirs],
      [ours, theirs, ours, theirs, ours],
    ]
    const shop = ground.workshop('mixed')
    const name = image('mixed')
    await build([theirs, theirs, theirs, theirs, theirs], shop, name)
    const first = imageOf(name)
    for (const makers of mixtures) {
      shop.renew()
      const said = await build(makers, shop, name)
      assert.match(said, /kept came back\ndep came back: 1 .*dep\.sbom\.cdx\.json/, makers.join(' '))
      assert.match(said, /Reusing layer 'acme\/all:dep'[\s\S]*Reused 2\/2 app layer\(s\)/, makers.join(' '))
      assert.deepEqual(imageOf(name), first, makers.join(' '))
    }
  })

  story('share caches in images, both ways', async () => {
    const cache = image('cache:1')
    for (const [index, maker] of (['ours', 'reference', 'ours'] as const).entries()) {
      const shop = ground.workshop('cache-image')
      const flags = shop.flags('creator').filter(word => word !== '-cache-dir' && word !== shop.cache)
      const words = [...flags, '-cache-image', cache, image(`cached-${index}`)]
      const said = passed(await ground.run(maker, 'creator', words))
      assert.equal(/kept came back/.test(said), index > 0, said)
      assert.ok(
        JSON.parse(ground.crane('config', cache)).config.Labels['io.buildpacks.lifecycle.cache.metadata'],
      )
    }
  })

  story('make the same images on disk', async () => {
    const results = []
    for (const maker of MAKERS) {
      const shop = ground.workshop('layout')
      const layouts = join(shop.cache, 'layouts')
      const runImage = join(layouts, ground.host, 'run')
      mkdirSync(runImage, { recursive: true })
      ground.crane('pull', '--format=oci', image('run:1'), join(runImage, '1'))
      shop.own()
      const words = ['-layout', '-layout-dir', layouts, image('on-disk')]
      passed(await create(maker, shop, words))
      shop.renew()
      const again = passed(await create(maker, shop, words))
      assert.match(again, /Reusing layer 'acme\/all:dep'/)
      results.push(paths(JSON.stringify(layoutOf(join(layouts, ground.host, 'on-disk/latest')))))
    }
    assert.equal(results[0], results[1])
  })

  story('rebase images of the other', async () => {
    const results = []
    for (const builder of MAKERS) {
      const name = image(`rebased-${builder}`)
      passed(await create(builder, ground.workshop('rebase'), [name]))
      for (const rebaser of MAKERS) {
        const target = image(`rebased-${builder}-${rebaser}`)
        const report = ground.workshop(`report-${builder}-${rebaser}`)
        const words = [
          '-previous-image',
          name,
          '-run-image',
          image('run:2'),
          '-report',
          join(report.cache, 'r.toml'),
        ]
        passed(await ground.run(rebaser, 'rebaser', [...words, target]))
        const written = parseReport(readFileSync(join(report.cache, 'r.toml'), 'utf8'), 'r.toml')
        assert.equal(written.digest, ground.crane('digest', target).trim())
        const { metadata, rootfs } = imageOf(target)
        results.push(paths(JSON.stringify({ metadata, rootfs }, mapsToObjects)))
      }
    }
    assert.equal(new Set(results).size, 1, results.join('\n'))
  })

  describe('end with the same codes', () => {
    const cases: readonly [name: string, phase: string, code: number, act: (shop: Workshop) => Case][] = [
      ['no Platform API', 'creator', 11, () => ({ env: { CNB_PLATFORM_API: '' } })],
      ['a Platform API that nobody speaks', 'detector', 11, () => ({ env: { CNB_PLATFORM_API: '9.9' } })],
      ['a flag that it has not', 'analyzer', 2, () => ({ first: ['-nonsense'] })],
      [
        'a flag of a later Platform API',
        'analyzer',
        2,
        () => ({ first: ['-insecure-registry', 'x'], env: { CNB_PLATFORM_API: '0.12' } }),
      ],
      ['a switch that is neither on nor off', 'exporter', 2, () => ({ first: ['-daemon=perhaps'] })],
      ['a number that is none', 'restorer', 2, () => ({ first: ['-uid', 'x'] })],
      ['-h', 'builder', 0, () => ({ first: ['-h'] })],
      ['-version', 'builder', 0, () => ({ first: ['-version'] })],
      ['no image', 'analyzer', 3, () => ({})],
      ['two images', 'creator', 3, () => ({ last: [image('app'), image('other')] })],
      [
        'images in two registries',
        'analyzer',
        3,
        () => ({ first: ['-tag', 'registry.example/other'], last: [image('app')] }),
      ],
      ['an image that cannot be one', 'analyzer', 3, () => ({ last: ['Not/An/Image'] })],
      ['a word too many', 'detector', 3, () => ({ last: ['word'] })],
      ['no run image', 'analyzer', 3, () => ({ first: ['-run', '/proc/nothing'], last: [image('app')] })],
      ['nothing that fits', 'creator', 20, shop => ({ first: ['-app', shop.cache], last: [image('app')] })],
      [
        'a buildpack that is not there',
        'creator',
        1,
        () => ({ first: ['-order', orderFile('acme/gone')], last: [image('app')] }),
      ],
      [
        'a buildpack of an unknown API',
        'creator',
        12,
        () => ({ first: ['-order', orderFile('acme/old')], last: [image('app')] }),
      ],
      [
        'a detection that errs',
        'creator',
        21,
        () => ({ first: ['-order', orderFile('acme/err')], last: [image('app')] }),
      ],
      [
        'a build that fails',
        'creator',
        51,
        () => ({ first: ['-order', orderFile('acme/fail')], last: [image('app')] }),
      ],
      [
        'a build that writes nonsense',
        'creator',
        52,
        () => ({ first: ['-order', orderFile('acme/bad')], last: [image('app')] }),
      ],
      [
        'a process that is not there',
        'creator',
        62,
        () => ({ first: ['-process-type', 'nobody'], last: [image('app')] }),
      ],
      ['no group to restore for', 'restorer', 1, () => ({})],
      ['no group to build with', 'builder', 1, () => ({})],
      ['nothing analyzed to export on', 'exporter', 3, exportOnNothing],
      [
        'images on disk without a leave',
        'creator',
        1,
        () => ({ first: ['-layout'], env: { CNB_EXPERIMENTAL_MODE: 'error' }, last: [image('app')] }),
      ],
      ['no image to rebase', 'rebaser', 3, () => ({})],
      ['an image to rebase that is not there', 'rebaser', 72, () => ({ last: [image('gone')] })],
      ['an image to rebase that nobody built', 'rebaser', 72, () => ({ last: [image('run:1')] })],
    ]
    before(() => {
      if (missing !== undefined) return
      const scripts: Readonly<Record<string, [api: string, detect: string, build: string]>> = {
        err: ['0.10', 'exit 3', ''],
        fail: ['0.10', '', 'exit 7'],
        bad: ['0.10', '', 'echo "types = 1" > "$1/x.toml"'],
        old: ['0.2', '', ''],
      }
      for (const [name, [api, detect, script]] of Object.entries(scripts)) {
        const place = `buildpacks/acme_${name}/1.2.3`
        ground.write(
          `${place}/buildpack.toml`,
          BUILDPACK.replace('0.10', api).replace('acme/all', `acme/${name}`),
        )
        ground.write(`${place}/bin/detect`, `#!/bin/sh\n${detect}\n`, 0o755)
        ground.write(`${place}/bin/build`, `#!/bin/sh\n${script}\n`, 0o755)
      }
    })
    for (const [name, phase, code, act] of cases) {
      story(`${phase}, ${name}: ${code}`, async () => {
        for (const maker of MAKERS) {
          const shop = ground.workshop(`code-${maker}-${name.replaceAll(' ', '-')}`)
          const { first = [], last = [], env = {} } = act(shop)
          const ended = await ground.run(maker, phase, [...shop.flags(phase), ...first, ...last], env)
          assert.equal(ended.code, code, `${maker}: ${ended.output}`)
          assert.ok(ended.output.length > 0, maker)
        }
      })
    }
  })

  story('say at once, and not at the end, that a run image is not there', async () => {
    const shop = ground.workshop('early')
    const ended = await create('ours', shop, ['-run-image', image('nothing:1'), image('app')])
    assert.equal(ended.code, 32, ended.output)
    assert.doesNotMatch(ended.output, /DETECTING/)
    assert.match(ended.output, /ERROR: Cannot use the run image .*nothing:1/)
  })

  it('refuse to extend images, in words', async t => {
    if (missing !== undefined) return t.diagnostic(`reduced: ${missing}`)
    const { code, output } = await ground.run('ours', 'extender', ['-kind', 'run'])
    assert.equal(code, 102, output)
    assert.match(output, /Dockerfiles/)
  })
})

interface Case {
  readonly first?: readonly string[]
  readonly last?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

function exportOnNothing({ layers }: Workshop): Case {
  writeFileSync(join(layers, 'analyzed.toml'), '[run-image]\nreference = ""\n')
  return { last: [image('app')] }
}

function orderFile(id: string): string {
  return ground.write(`orders/${id.replace('/', '-')}.toml`, orderOf(id))
}

/** An image on disk, comparable. */
function layoutOf(directory: string) {
  const json = (path: string) => JSON.parse(readFileSync(join(directory, path), 'utf8'))
  const blob = (digest: string) => json(`blobs/${digest.replace(':', '/')}`)
  const [{ digest, annotations, mediaType }] = json('index.json').manifests
  const manifest = blob(digest)
  const config = blob(manifest.config.digest) as Config
  const metadata = parseLifecycleMetadata(
    config.config.Labels['io.buildpacks.lifecycle.metadata'] ?? '',
    directory,
  )
  return {
    ...{ annotations, mediaType, layers: manifest.layers.length, manifest: manifest.annotations },
    diffIds: config.rootfs.diff_ids.map(sha => (sha === metadata.config.sha ? 'config' : sha)),
    app: metadata.app,
    topLayer: metadata.runImage.topLayer,
    blobs: readdirSync(join(directory, 'blobs/sha256')).length >= manifest.layers.length,
  }
}

/** Names of makers and of their directories, which differ. */
function paths(text: string): string {
  return text.replaceAll(/(?:ours|reference)/g, 'maker')
}

function mapsToObjects(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries([...value].sort()) : value
}
