import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkout, type Story, story } from '../support/cli.ts'
import { serve } from '../support/serve.ts'

/**
 * A Go module from source to a running image with the command line, by an ordinary user: Go and the module's dependency come through the module proxy of this
 * machine, checked by Go's database and by go.sum.
 */
const IMAGE = 'tests/ferry'
const TICKETS = 'internal/tickets/tickets.go'

let place: Story
let path: string
before(() => {
  place = story()
  path = join(place.directory, 'ferry')
  cpSync(join(checkout, 'samples/go/modules'), path, { recursive: true })
  place.own('ferry')
})
after(() => place[Symbol.dispose]())

interface Built {
  readonly digest: string
  readonly log: string
}

async function build(name: string, directory: string, ...words: string[]): Promise<Built> {
  const { code, stdout, stderr } = await place.slipway(['build', name, '--path', directory, ...words], {
    env: name === IMAGE ? {} : { TZ: 'Asia/Tokyo', LANG: 'C' },
  })
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  return { digest: stdout.trim(), log: stderr }
}

async function json(...words: string[]) {
  const { code, stdout, stderr } = await place.slipway(words)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

/** Names of layers that were exported anew. */
function added(log: string): string[] {
  return [...log.matchAll(/^Adding layer '(.*)'$/gm)].map(([, name]) => name as string)
}

describe('a Go module', () => {
  let first: Built

  it('becomes a static program on run:static, with its modules in the bill of materials and nothing else in the image', async () => {
    first = await build(IMAGE, path, '--clear-cache')
    assert.match(first.log, /Using Go 1\.26\.\d+ \(1\.26 by go\.mod\)/)
    assert.match(first.log, /downloading github\.com\/google\/uuid v1\.6\.0/)
    const { local_info: about } = await json('inspect', IMAGE, '--json')
    const layers: { kind: string; name?: string }[] = about.layers
    assert.ok(!layers.some(({ kind }) => kind === 'launcher'))
    assert.deepEqual(
      layers.flatMap(({ name }) => (name?.startsWith('slipway/go') ? [name] : [])),
      ['slipway/go:targets'],
    )
    assert.deepEqual(about.run_images, [{ name: 'slipway/run:static' }])
    assert.deepEqual(
      about.processes.map(({ type, command, default: isDefault }: Record<string, unknown>) => [
        type,
        command,
        isDefault,
      ]),
      [
        ['web', '/layers/slipway_go/targets/bin/ferry', true],
        ['ferry', '/layers/slipway_go/targets/bin/ferry', false],
      ],
    )
    const { components } = await json('sbom', 'show', IMAGE)
    const purls = components.map(({ purl }: { purl?: string }) => purl ?? '')
    assert.ok(purls.includes('pkg:golang/github.com/google/uuid@v1.6.0'), purls.join('\n'))
    assert.ok(
      purls.some((purl: string) => /^pkg:golang\/stdlib@1\.26\.\d+$/.test(purl)),
      purls.join('\n'),
    )
    const lock = readFileSync(join(path, 'slipway.lock'), 'utf8')
    assert.match(lock, /golang\.org\/toolchain@v0\.0\.1-go1\.26\.\d+\.linux-/)
  })

  it('answers', async () => {
    await using app = await serve(place, IMAGE, '-e', 'FERRY=Petrel')
    assert.equal(await app.get('/'), 'The Petrel leaves at 06:00, 09:30, 18:15.\n')
    const sold = await fetch(app.address('/tickets'), { method: 'POST' })
    assert.match(await sold.text(), /^Petrel [0-9a-f-]{36}\n$/)
  })

  it('is the same image by another name, from another directory, with another umask, and without a cache', async () => {
    const other = join(place.directory, 'somewhere-else')
    await place.run('sh', ['-c', 'umask 077; cp -r ferry somewhere-else; rm somewhere-else/slipway.lock'])
    cpSync(join(path, 'slipway.lock'), join(other, 'slipway.lock'))
    place.own('somewhere-else/slipway.lock')
    const second = await build('tests/other-ferry', other, '--clear-cache')
    assert.match(second.log, /Executing go build/)
    assert.equal(second.digest, first.digest)
  })

  it('is not built again while nothing changed, and has just its program exported where a line did', async () => {
    const same = await build(IMAGE, path)
    assert.equal(same.digest, first.digest)
    assert.doesNotMatch(same.log, /Executing go build/)

    const text = readFileSync(join(path, TICKETS), 'utf8')
    writeFileSync(join(path, TICKETS), text.replace('leaves at', 'departs at'))
    const changed = await build(IMAGE, path)
    assert.deepEqual(added(changed.log), ['slipway/go:targets'])
    assert.doesNotMatch(changed.log, /downloading/)
    {
      await using app = await serve(place, IMAGE)
      assert.equal(await app.get('/'), 'The Halcyon departs at 06:00, 09:30, 18:15.\n')
    }
    writeFileSync(join(path, TICKETS), text)
    assert.equal((await build(IMAGE, path)).digest, first.digest)
  })

  it('needs no network where its dependencies are in it, and keeps its cache where it does not compile', async t => {
    writeFileSync(join(path, TICKETS), 'package tickets\n\nfunc nonsense() { return 1 }\n')
    const { code, stderr } = await place.slipway(['build', IMAGE, '--path', path])
    assert.notEqual(code, 0)
    assert.match(stderr, /internal\/tickets\/tickets\.go:3:26: too many return values/)
    cpSync(join(checkout, 'samples/go/modules', TICKETS), join(path, TICKETS))
    const vendored = spawnSync('go', ['mod', 'vendor'], { cwd: path, env: { ...process.env, GOFLAGS: '' } })
    if (vendored.error) return t.diagnostic('there is no go on this machine to copy dependencies with')
    place.own('ferry')
    const { log } = await build(IMAGE, path, '--network', 'none')
    assert.match(log, /Executing go build/)
    rmSync(join(path, 'vendor'), { recursive: true })
  })
})
