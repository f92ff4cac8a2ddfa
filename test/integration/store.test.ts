import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import { copyImage, openLayout, parsePlace } from '../../src/oci/mod.ts'
import { imageOf, noise } from '../../src/oci/oci.testing.ts'
import { digestOf, readAll, type TemporaryDirectory, temporaryDirectory } from '../../src/std/mod.ts'

/** The store under what real machines do to it: many processes at once, kill -9 at every step, a full disk, other tools. */

let directory: TemporaryDirectory
let program: string
before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'slipway-store-')
  program = join(directory.path, 'child.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'store-child.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
})
after(() => directory[Symbol.asyncDispose]())

/** Runs a child to its end; its lines, and how it ended. */
async function run(
  ...words: string[]
): Promise<{ lines: string[]; code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code, signal] = await new Promise<[number | null, string | null]>(done =>
    child.once('close', (...end) => done(end)),
  )
  return { lines: output.split('\n').filter(Boolean), code, signal }
}

/** Reads every image of a store to its last byte, and compares every blob with its name. */
async function checkStore(root: string): Promise<string[]> {
  const store = openLayout(root)
  for (const name of readdirSync(join(root, 'blobs/sha256'))) {
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(root, 'blobs/sha256', name)))
        .digest('hex'),
      name,
    )
  }
  const names = (await store.list()).map(({ name }) => name)
  for (const name of names) {
    for (const layer of (await store.image(name))?.layers ?? assert.fail(name)) {
      assert.equal(digestOf(await readAll(await layer.uncompressed())), layer.diffId)
    }
  }
  return names
}

describe('a store that many processes use at once', () => {
  it('loses no image, while garbage is collected between', async () => {
    const root = join(directory.path, 'many')
    const ended = await Promise.all([
      run('write', root, 'a', '12'),
      run('write', root, 'b', '12'),
      run('write', root, 'c', '12'),
      run('gc', root, '40'),
      run('gc', root, '40'),
    ])
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0, 0, 0, 0],
    )
    const expected = ['a', 'b', 'c'].flatMap(prefix =>
      Array.from({ length: 12 }, (_, index) => `${prefix}:${index}`),
    )
    assert.deepEqual(await checkStore(root), expected.toSorted())
    // All that may be there for nothing are layers that were written again after a collection.
    await run('gc', root, '1')
    assert.deepEqual(await checkStore(root), expected.toSorted())
  })

  it('keeps garbage while another process has a lease, and not after that process was killed', async () => {
    const root = join(directory.path, 'leases')
    const store = openLayout(root)
    await imageOf(store, { a: '1' })
    const holder = spawn(process.execPath, [program, 'lease', root], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise(done => holder.once('close', done))
    await new Promise(done => holder.stdout.once('data', done))
    assert.deepEqual(await store.gc(), { blobs: 0, bytes: 0, running: 1 })
    holder.kill('SIGKILL')
    await ended
    assert.equal((await store.gc()).blobs, 1)
  })
})

describe('a store whose writer is killed', () => {
  it('can be read and used without repair, whichever change to the disk was the last', async t => {
    const prepared = join(directory.path, 'prepared')
    const store = openLayout(prepared)
    await store.write(await imageOf(store, { old: '1' }), ['old'])
    const kept = await store.write(await imageOf(store, { kept: '1' }), ['kept'])
    const seen = new Set<string>()
    const kill = async (step: number): Promise<boolean> => {
      const root = join(directory.path, `killed-${step}`)
      await cp(prepared, root, { recursive: true })
      const { code, signal } = await run('die', root, String(step))
      assert.ok(signal === 'SIGKILL' || code === 0)
      const names = await checkStore(root)
      if (signal) seen.add(names.join(' '))
      const mine = openLayout(root)
      const { digest } = (await mine.image('kept')) ?? assert.fail()
      if (!names.includes('fresh:latest')) assert.equal(digest, kept.digest)
      // The next process needs no repair, and collects what the dead one left.
      await mine.write(await imageOf(mine, { next: '1' }), ['next'])
      assert.equal((await mine.gc()).running, 0)
      assert.ok((await checkStore(root)).includes('next:latest'))
      assert.deepEqual(readdirSync(join(root, '.slipway/staging')), [])
      rmSync(root, { recursive: true })
      return signal !== null
    }
    let kills = 0
    for (let step = 1, alive = true; alive; step += 4) {
      const killed = await Promise.all([step, step + 1, step + 2, step + 3].map(kill))
      kills += killed.filter(Boolean).length
      alive = killed.every(Boolean)
    }
    t.diagnostic(`${kills} kills; states seen: ${[...seen].join(' | ')}`)
    assert.ok(kills > 30, `only ${kills} steps`)
    assert.ok(seen.size >= 3, 'the image was there before, between and after')
  })
})

describe('a store on a full disk', () => {
  it('says so, leaves nothing half-written, and goes on once there is room', t => {
    const root = join(directory.path, 'disk')
    const script = `mkdir -p "$1" && mount -t tmpfs -o size=6m none "$1" && exec "$2" "$3" fill "$1/images"`
    const words = [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      root,
      process.execPath,
      program,
    ]
    if (spawnSync('unshare', [...words.slice(0, 3), 'true']).status !== 0)
      return t.skip('no namespaces to mount a small disk in')
    const { stdout, stderr, status } = spawnSync('unshare', words, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), { failure: 'ENOSPC', staged: [], images: 2 })
  })
})

describe('a store that skopeo reads', () => {
  const skopeo = (...words: string[]) => {
    const { stdout, stderr, status } = spawnSync('skopeo', ['--insecure-policy', ...words], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    return stdout
  }
  const absent = spawnSync('skopeo', ['--version']).status === 0 ? false : 'there is no skopeo here'

  it('is an image layout to it, and so is what it wrote to us', { skip: absent }, async () => {
    const root = join(directory.path, 'skopeo')
    await mkdir(root)
    const store = openLayout(join(root, 'images'))
    const image = await store.write(await imageOf(store, { a: '1' }, { b: noise(3_000_000) }), [
      'team/shop:1.0',
    ])
    const seen = JSON.parse(skopeo('inspect', `oci:${store.root}:team/shop:1.0`))
    assert.equal(seen.Digest, image.digest)
    assert.deepEqual(
      seen.Layers,
      image.layers.map(({ blob }) => blob.digest),
    )

    skopeo('copy', `oci:${store.root}:team/shop:1.0`, `oci:${root}/out:v1`)
    const options = { architecture: 'amd64' }
    const { digest } = await copyImage(
      store,
      parsePlace('oci:out:v1', root),
      parsePlace('back', root),
      options,
    )
    assert.equal(digest, image.digest)
  })

  it('is read through docker archives both ways', { skip: absent }, async () => {
    const root = join(directory.path, 'skopeo-archive')
    await mkdir(root)
    const store = openLayout(join(root, 'images'))
    const image = await store.write(await imageOf(store, { a: '1' }, { b: '1' }, { b: '1' }), ['shop'])
    const options = { architecture: 'amd64' }
    await copyImage(store, parsePlace('shop', root), parsePlace('docker-archive:ours.tar', root), options)
    skopeo('copy', `docker-archive:${root}/ours.tar`, `oci:${root}/out:v1`)
    skopeo('copy', `oci:${store.root}:shop:latest`, `docker-archive:${root}/theirs.tar:shop:latest`)
    for (const from of ['oci:out:v1', 'docker-archive:theirs.tar:shop']) {
      await copyImage(store, parsePlace(from, root), parsePlace('back', root), options)
      assert.deepEqual((await store.image('back'))?.config.rootfs, image.config.rootfs, from)
    }
    assert.equal((await store.image('back'))?.digest, image.digest)
  })
})
