import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { noise } from '../../src/oci/oci.testing.ts'
import { checkout } from '../support/cli.ts'
import { startFaultRegistry } from '../support/fault-registry.ts'

/** Layers pass through: how large they are does not matter. `SLIPWAY_TEST_GIGABYTES=8` for those that it is promised for. */

const GIGABYTES = Number(process.env.SLIPWAY_TEST_GIGABYTES ?? 0.5)
const SIZE = GIGABYTES * 2 ** 30
const LIMIT = 256 * 2 ** 20

it(`layers of ${GIGABYTES} GB are sent and read in ${LIMIT / 2 ** 20} MB of memory`, async () => {
  await using server = await startFaultRegistry()
  let received = 0
  // Nothing that large is kept here; it is counted, hashed, and made anew when it is asked for.
  server.on(
    /^PUT .*uploads/,
    async (request, response, pass) => {
      if (Number(request.headers['content-length']) < SIZE) return pass()
      const hash = createHash('sha256')
      for await (const chunk of request) {
        hash.update(chunk)
        received += chunk.length
      }
      const digest = `sha256:${hash.digest('hex')}`
      const whole = Object.assign(Buffer.from('large'), { large: true })
      server.registry.contents.blobs.get('large/image')?.set(digest, whole)
      response.writeHead(request.url?.endsWith(encodeURIComponent(digest)) ? 201 : 400).end()
    },
    99,
  )
  const block = noise(1 << 20)
  server.on(
    /^GET .*blobs/,
    async (request, response, pass) => {
      const digest = request.url?.split('/').at(-1) ?? ''
      if (!('large' in (server.registry.contents.blobs.get('large/image')?.get(digest) ?? {}))) return pass()
      response.writeHead(200, { 'content-length': String(SIZE) })
      for (let sent = 0; sent < SIZE; sent += block.length)
        if (!response.write(block)) await new Promise(done => response.once('drain', done))
      response.end()
    },
    99,
  )
  const child = join(checkout, 'test/integration/registry-memory-child.ts')
  const words = ['--import', 'tsx', child, server.host, String(GIGABYTES)]
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: checkout })
  const { read, memory } = JSON.parse(stdout)
  assert.equal(received, SIZE)
  assert.equal(read, SIZE)
  assert.ok(memory <= LIMIT, `it took ${Math.round(memory / 2 ** 20)} MB`)
  console.log(`# ${GIGABYTES} GB: ${Math.round(memory / 2 ** 20)} MB`)
})
