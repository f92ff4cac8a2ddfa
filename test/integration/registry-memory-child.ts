import { Readable } from 'node:stream'
import { append, emptyImage, openRegistries, parseReference } from '../../src/oci/mod.ts'
import { noise } from '../../src/oci/oci.testing.ts'
import { packedLayer } from '../../src/oci/store/stored-layer.ts'
import { type Digest, Digesting } from '../../src/std/mod.ts'

/** Sends and reads layers of so many gigabytes, and says how much memory that took: `HOST GIGABYTES`. */

const [host = '', gigabytes = '1'] = process.argv.slice(2)
const name = `${host}/large/image`
const SIZE = Number(gigabytes) * 2 ** 30
const block = noise(1 << 20)

async function* blocks(of: Buffer): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < SIZE; sent += of.length) yield of
}

const registries = openRegistries({
  environment: {},
  userHome: '/nonexistent',
  platform: { os: 'linux', architecture: 'amd64' },
})
const store = registries.store(parseReference(name))

// Zeros are what a sparse file is; they are hashed and compressed, and nearly nothing is sent.
const sparse = await store.addLayer(() => blocks(Buffer.alloc(1 << 20)))
// What does not compress is sent as it is, and read back.
const known = new Digesting()
known.resume()
for await (const part of blocks(block))
  if (!known.write(part)) await new Promise(done => known.once('drain', done))
const digest: Digest = await new Promise(done => known.end(() => done(known.digest())))
const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: SIZE }
const plain = await store.importLayer(
  packedLayer(digest, blob, () => Readable.from(blocks(block), { objectMode: false })),
)
const image = append(
  emptyImage('linux', 'amd64'),
  [sparse, plain].map(layer => ({ layer, history: {} })),
)
await store.write(image, [name])
const back = await store.image(name)
let read = 0
for await (const part of (await back?.layers[1]?.compressed()) ?? []) read += (part as Uint8Array).byteLength
await registries[Symbol.asyncDispose]()
console.log(JSON.stringify({ read, memory: process.resourceUsage().maxRSS * 1024 }))
