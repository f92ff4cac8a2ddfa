import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildpack, built, files, imageName, inWords } from '../support/buildpack.ts'
import { checkout, type Story, story } from '../support/cli.ts'
import { startWatchedRegistry, type WatchedRegistry } from '../support/watched-registry.ts'

/** Building into a registry, rebasing there, copying from and to it, as a person types it, against a real one that is watched. */

let place: Story
let registry: WatchedRegistry
let missing: string | undefined
before(async () => {
  place = story()
  const started = await startWatchedRegistry()
  if (typeof started === 'string') missing = started
  else registry = started
  files(place, 'app', { greeting: 'hi\n' })
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

/** A buildpack with a layer to run and to cache, of a megabyte. */
const LAYERED = {
  build: `mkdir -p "$CNB_LAYERS_DIR/dep"
if [ -e "$CNB_LAYERS_DIR/dep/big" ]; then echo restored; fi
seq 1 200000 >"$CNB_LAYERS_DIR/dep/big"
printf '[types]\\nlaunch = true\\ncache = true\\n' >"$CNB_LAYERS_DIR/dep.toml"
if [ -d /volumes/extra ]; then ls /volumes/extra; (echo x >/volumes/extra/new) 2>/dev/null || echo read-only; fi
cat >"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "web"
command = ["cat"]
args = ["greeting"]
default = true
END`,
}

async function slipway(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(words)
  assert.equal(code, 0, `${words.join(' ')}\n${stdout}\n${stderr}`)
  return stdout.trim()
}

const isRead = (line: string) => /^(?:GET|HEAD) /.test(line)
const isBlob = (line: string) => /^GET .*\/blobs\/sha256:/.test(line)
const names = () => [`${registry.host}/team/app:1`, `${registry.host}/team/app:latest`] as const

describe('build --publish', { concurrency: false }, () => {
  it('puts the image into the registry under all of its names, and nothing of it into the store', async t => {
    if (missing !== undefined) return t.skip(missing)
    const [first, second] = names()
    const words = buildpack(place, 'layered', LAYERED)
    const papers = ['--report-output-dir', 'report', '--sbom-output-dir', 'papers']
    const { digest, said } = await built(place, [
      ...[first, '--path', 'app', '--publish', '--tag', second, ...words, ...papers],
      ...['--cache-image', `${registry.host}/team/cache`, '--creation-time', '1000000000'],
    ])
    assert.match(said, /Adding layer 'story\/layered:dep'/)
    const toml = readFileSync(join(place.directory, 'report/report.toml'), 'utf8')
    assert.match(
      toml,
      new RegExp(`tags = \\[ "${first}", "${second}" \\]\\ndigest = "${digest}"\\nmanifest-size = \\d+`),
    )
    assert.ok(existsSync(join(place.directory, 'papers/launch/sbom.legacy.json')))
    for (const name of [first, second])
      assert.match(
        await slipway('inspect', name, '--remote'),
        new RegExp(`Digest: ${digest}\\n.*\\nCreated: 2001-09-09T01:46:40Z`),
      )
    assert.doesNotMatch(await slipway('images'), new RegExp(registry.host))
    const asked = registry.asked()
    const last = asked.findLastIndex(line => /PUT .*\/blobs\//.test(line) && line.includes('/team/app/'))
    const tagged = asked.findIndex(line => /PUT .*\/team\/app\/manifests\/(?:1|latest)$/.test(line))
    assert.ok(last >= 0 && tagged > last, 'a tag is there only when everything else is')
  })

  it('makes the very image that a build into the store makes', async t => {
    if (missing !== undefined) return t.skip(missing)
    const name = imageName()
    const words = ['--path', 'app', ...buildpack(place, 'layered', LAYERED), '--creation-time', '1000000000']
    const { digest } = await built(place, [name, ...words])
    assert.match(await slipway('inspect', names()[0], '--remote'), new RegExp(digest))
    await built(place, [name, ...words, '--output', 'oci:layout:1'])
    assert.equal(await slipway('copy', 'oci:layout:1', `${name}:copy`), digest)
    await slipway('rm', '--force', name)
    await built(place, [name, ...words, '--output', 'docker-archive:app.tar', '--tag', `${name}:2`])
    const loaded = await slipway('copy', `docker-archive:app.tar:${name}:2`, `${name}:2`)
    assert.equal(loaded, digest)
  })

  it('sends nothing again, and restores from the cache image where this machine has kept nothing', async t => {
    if (missing !== undefined) return t.skip(missing)
    const [first] = names()
    const words = [
      first,
      '--path',
      'app',
      '--publish',
      ...buildpack(place, 'layered', LAYERED),
      '--creation-time',
      '1000000000',
    ]
    registry.asked()
    const { said } = await built(place, [...words, '--cache-image', `${registry.host}/team/cache`])
    assert.match(said, /Restoring data for "story\/layered:dep" from cache/)
    assert.match(said, /^restored$/m)
    assert.match(said, /Reusing layer 'story\/layered:dep'/)
    assert.match(said, /Reusing cache layer 'story\/layered:dep'/)
    // One upload is begun, to see whether it would be allowed.
    assert.deepEqual(
      registry.asked().filter(line => !isRead(line)),
      ['POST /v2/team/app/blobs/uploads/'],
    )
  })

  it('sends just what changed', async t => {
    if (missing !== undefined) return t.skip(missing)
    const [first] = names()
    files(place, 'changed', { greeting: 'hello\n' })
    registry.asked()
    await built(place, [first, '--path', 'changed', '--publish', ...buildpack(place, 'layered', LAYERED)])
    const finished = registry.asked().filter(line => /^PUT .*\/blobs\/uploads\//.test(line))
    assert.equal(finished.length, 2, 'the slice of the app and the configuration')
    assert.equal(await slipway('run', `docker://${first}`), 'hello')
  })

  it('asks nothing but what the tag stands for, where nothing changed', async t => {
    if (missing !== undefined) return t.skip(missing)
    const app = join(place.directory, 'procfile')
    cpSync(join(checkout, 'samples/shell/procfile'), app, { recursive: true })
    place.own('procfile')
    for (const file of readdirSync(app)) utimesSync(join(app, file), 1e9, 1e9)
    const name = `${registry.host}/team/procfile`
    const words = [name, '--path', 'procfile', '--publish']
    await built(place, words)
    // Files count as settled when they are older than the clock of a coarse file system is fine.
    await new Promise(done => setTimeout(done, 2500))
    await built(place, words)
    registry.asked()
    const { digest, said } = await built(place, words)
    assert.match(said, /Nothing changed/)
    assert.deepEqual(registry.asked(), ['HEAD /v2/team/procfile/manifests/latest'])
    assert.match(await slipway('inspect', name, '--remote'), new RegExp(digest))
  })

  it('ends before anything is built where the registry would refuse it', async t => {
    if (missing !== undefined) return t.skip(missing)
    registry.refuse = method => (method === 'POST' ? 403 : undefined)
    try {
      const words = [
        'build',
        `${registry.host}/team/denied`,
        '--path',
        'app',
        '--publish',
        ...buildpack(place, 'layered', LAYERED),
      ]
      const finished = await place.slipway(words)
      assert.match(inWords(finished, 32), /not you/)
      assert.doesNotMatch(finished.stderr, /DETECTING/)
    } finally {
      registry.refuse = undefined
    }
  })
})

describe('options of a build that name other places', { concurrency: false }, () => {
  it('mount volumes read-only, take bindings from the place that others mount them to, and keep away from the build itself', async () => {
    files(place, 'extra', { thing: '1' })
    files(place, 'bind', { type: 'x', secret: 's' })
    const words = ['--path', 'app', ...buildpack(place, 'layered', LAYERED)]
    const { said } = await built(place, [
      ...[imageName(), ...words, '--volume', 'extra:/volumes/extra'],
      ...['--volume', 'bind:/platform/bindings/found'],
    ])
    assert.match(said, /^thing\nread-only$/m)
    for (const target of ['/cnb', '/layers/x', '/workspace', '/']) {
      const finished = await place.slipway(['build', 'x', ...words, '--volume', `extra:${target}`])
      inWords(finished, 3)
    }
  })

  it('are refused in words where they make no sense', async () => {
    const cases: readonly (readonly [number, ...string[]])[] = [
      [2, '--output', 'somewhere'],
      [2, '--publish', '--output', 'oci:x'],
      [2, '--creation-time', 'yesterday'],
      [2, '--platform', 'linux'],
      [3, '--platform', 'linux/riscv64'],
      [3, '--publish', '--tag', 'elsewhere.example/x'],
    ]
    for (const [code, ...words] of cases)
      inWords(await place.slipway(['build', 'here.example/x', '--path', 'app', ...words]), code)
  })
})

/** What was read of registries before is read again. */
const forgetDocuments = () => rmSync(join(place.home, 'exports/documents'), { recursive: true, force: true })

describe('images in a registry', { concurrency: false }, () => {
  it('are built on a run image of the registry, of which nothing but manifest and configuration is read', async t => {
    if (missing !== undefined) return t.skip(missing)
    const base = `${registry.host}/bases/run:1`
    await slipway('copy', 'slipway/run:base', `docker://${base}`)
    forgetDocuments()
    registry.asked()
    const name = `${registry.host}/team/based`
    await built(place, [
      ...[name, '--path', 'app', '--publish', '--run-image', base],
      ...buildpack(place, 'layered', LAYERED),
    ])
    const asked = registry.asked()
    assert.equal(asked.filter(isBlob).length, 1, asked.join('\n'))
    assert.ok(asked.some(line => line.startsWith('GET /v2/bases/run/manifests/1')))
    const said = await slipway('inspect', name, '--remote')
    assert.match(said, new RegExp(`Reference: ${registry.host}/bases/run@sha256:`))
    assert.match(said, new RegExp(`Run Images:\\n {2}${base}`))
  })

  it('are rebased there, and no layer is downloaded or sent', async t => {
    if (missing !== undefined) return t.skip(missing)
    const [name, next] = [`${registry.host}/team/based`, `${registry.host}/bases/run:2`]
    await slipway('copy', 'slipway/run:base-previous', `docker://${next}`)
    forgetDocuments()
    registry.asked()
    const words = ['rebase', `${name}:rebased`, '--publish', '--previous-image', name, '--run-image', next]
    const digest = await slipway(...words, '--report-output-dir', 'rebased')
    const asked = registry.asked()
    assert.deepEqual(
      asked
        .filter(line => /^GET/.test(line))
        .map(line => line.replace(/@?sha256:[0-9a-f]+/, 'DIGEST'))
        .sort(),
      [
        'GET /v2/bases/run/blobs/DIGEST',
        'GET /v2/bases/run/manifests/2',
        'GET /v2/team/based/blobs/DIGEST',
        'GET /v2/team/based/manifests/latest',
      ],
    )
    assert.equal(
      asked.filter(line => /^(?:PATCH|PUT)/.test(line)).length,
      2,
      'a configuration and a manifest',
    )
    assert.match(
      readFileSync(join(place.directory, 'rebased/report.toml'), 'utf8'),
      new RegExp(`tags = \\[ "${name}:rebased" \\]\\ndigest = "${digest}"`),
    )
    assert.match(await slipway('inspect', `${name}:rebased`, '--remote'), /Reference: .*\/bases\/run@sha256:/)
    registry.asked()
    assert.equal(await slipway(...words), digest, 'the same again')
    assert.deepEqual(registry.asked().filter(isBlob), [], 'configurations that were read are remembered')
  })

  it('are copied in every direction with the digest that they have', async t => {
    if (missing !== undefined) return t.skip(missing)
    const from = `docker://${registry.host}/team/based`
    const digest = (/Digest: (sha256:\S+)/.exec(await slipway('inspect', from)) ?? [])[1]
    const name = imageName()
    registry.asked()
    assert.equal(await slipway('copy', from, `docker://${registry.host}/else/where:1`), digest)
    assert.equal(registry.asked().filter(isBlob).length, 1, 'configuration alone')
    assert.equal(await slipway('copy', `docker://${registry.host}/else/where:1`, name), digest)
    assert.equal(await slipway('copy', name, `docker://${registry.host}/back:1`), digest)
    await slipway('copy', from, 'docker-archive:based.tar:based')
    await slipway('copy', 'docker-archive:based.tar', `docker://${registry.host}/from-archive:1`)
    assert.equal(await slipway('run', `docker://${registry.host}/from-archive:1`), 'hi')
    inWords(await place.slipway(['copy', `docker://${registry.host}/nothing:1`, 'x']), 3)
  })

  it('are inspected beside those of the store, and their bills read where they are', async t => {
    if (missing !== undefined) return t.skip(missing)
    const name = `${registry.host}/team/based`
    await slipway('copy', `docker://${name}:rebased`, name)
    assert.match(await slipway('inspect', name), /^REMOTE:\n\nImage: [\s\S]*\n\nLOCAL:\n\nImage: /)
    const { local_info: local, remote_info: remote } = JSON.parse(await slipway('inspect', name, '--json'))
    assert.notEqual(local.digest, remote.digest)
    await slipway('rm', '--force', name)
    const said = await slipway('sbom', 'download', name, '--remote', '-o', 'remote')
    assert.match(said, /^cnb\/sbom\/.*\.cdx\.json$/m)
    rmSync(join(place.directory, 'remote'), { recursive: true })
    inWords(await place.slipway(['inspect', `${registry.host}/nothing:1`]), 3)
  })
})
