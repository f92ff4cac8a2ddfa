import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type Digest, type HttpAnswer, letGo, Problem, readAll } from '#std'
import type { Descriptor } from '../../descriptor.ts'
import { blobDamaged, documentTooLarge } from '../../problems.ts'
import type { RegistryHost } from './host.ts'
import { confused, interrupted } from './problems.ts'

/** Configurations larger than this are refused unread. */
const LARGEST_DOCUMENT = 16 * 2 ** 20
/** Attempts in a row that may bring nothing. */
const ATTEMPTS = 4

/** Where blobs are read from: one repository of one host. */
export interface BlobSource {
  readonly host: RegistryHost
  readonly repository: string
}

/** Places that have the same blobs, in the order in which they are asked. */
export type BlobSources = () => Promise<readonly BlobSource[]>

/** True if the repository has the blob (OCI distribution-spec, "Checking if content exists in the registry"); nothing is read. */
export async function hasBlob(
  { host, repository }: BlobSource,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
): Promise<boolean> {
  const answer = await host.send({
    method: 'HEAD',
    place: blobPath(repository, digest),
    repository,
    scopes: [`repository:${repository}:pull`],
  })
  await letGo(answer)
  if (answer.status === 200) {
    const said = answer.headers['content-length']
    return said === undefined || Number(said) === size
  }
  if (answer.status === 404 || answer.status === 405) return false
  throw await host.problemOf(answer, 'look for a blob of', `${host.name}/${repository}`, repository)
}

/** Reads a small blob whole and checks that it is what its name says. Throws a `Problem` (`BLOB_DAMAGED`, `DOCUMENT_TOO_LARGE`). */
export async function readBlob(sources: BlobSources, blob: Descriptor): Promise<Buffer> {
  if (blob.size > LARGEST_DOCUMENT) throw documentTooLarge(blob.digest, blob.size)
  return await readAll(openBlob(sources, blob))
}

/**
 * Opens a blob. A connection that breaks off is taken up where it did, so that nothing is sent twice; bytes that are not those of the digest, or too many of
 * them, end in a `Problem` (`BLOB_DAMAGED`), before the last of them is passed on.
 */
export function openBlob(sources: BlobSources, blob: Descriptor): Readable {
  return Readable.from(fromFirst(sources, blob), { objectMode: false, highWaterMark: 1 << 18 })
}

/** Mirrors first; one that fails before it gave anything is passed over. */
async function* fromFirst(sources: BlobSources, blob: Descriptor): AsyncGenerator<Uint8Array> {
  const places = await sources()
  for (const [index, source] of places.entries()) {
    let begun = false
    try {
      for await (const chunk of verified(source, blob)) {
        begun = true
        yield chunk
      }
      return
    } catch (error) {
      if (begun || index === places.length - 1 || !(error instanceof Problem)) throw error
    }
  }
}

async function* verified(source: BlobSource, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let offset = 0
  let fruitless = 0
  let cause: unknown
  while (offset < size || (size === 0 && fruitless === 0)) {
    if (fruitless === ATTEMPTS) throw interrupted(`${source.host.name}/${source.repository}@${digest}`, cause)
    fruitless += 1
    const answer = await request(source, digest, offset)
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        fruitless = 0
        offset += chunk.byteLength
        if (offset > size) throw blobDamaged(digest)
        hash.update(chunk)
        if (offset === size && `sha256:${hash.copy().digest('hex')}` !== digest) throw blobDamaged(digest)
        yield chunk
      }
      if (offset < size) cause = new Error(`${size - offset} bytes did not come`)
    } catch (error) {
      if (error instanceof Problem) throw error
      cause = error
    } finally {
      answer.body.destroy()
    }
  }
  if (size === 0 && `sha256:${hash.digest('hex')}` !== digest) throw blobDamaged(digest)
}

/** The rest of a blob. A server that does not know of ranges is read again from the start, and what is known thrown away. */
async function request(
  source: BlobSource,
  digest: Digest,
  offset: number,
): Promise<Pick<HttpAnswer, 'body'>> {
  const { host, repository } = source
  const answer = await host.send({
    method: 'GET',
    place: blobPath(repository, digest),
    repository,
    scopes: [`repository:${repository}:pull`],
    ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
  })
  if (answer.status === 206) {
    const [, start] = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '') ?? []
    if (offset > 0 && Number(start) === offset) return answer
    await letGo(answer)
    throw confused(`${host.name}/${repository}@${digest}`, 'it sent another range than it was asked for')
  }
  if (answer.status === 200)
    return offset === 0 ? answer : { body: Readable.from(after(answer.body, offset), { objectMode: false }) }
  throw await host.problemOf(answer, 'read', `${host.name}/${repository}@${digest}`, repository)
}

async function* after(body: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let skip = offset
  for await (const chunk of body) {
    const taken = Math.min(skip, chunk.byteLength)
    skip -= taken
    if (taken < chunk.byteLength) yield chunk.subarray(taken)
  }
}

export function blobPath(repository: string, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`
}
