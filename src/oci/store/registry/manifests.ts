import { type Digest, digestOf, type HttpAnswer, isDigest, letGo, parseJson } from '#std'
import type { Descriptor } from '../../descriptor.ts'
import { LARGEST_MANIFEST, manifestAmbiguous } from '../../manifest.ts'
import { DOCKER, isIndexType, OCI } from '../../media-types.ts'
import type { RegistryHost } from './host.ts'
import { confused, contentDiffers, manifestTooLarge, manifestUnsupported } from './problems.ts'

const ACCEPTED = [OCI.manifest, OCI.index, DOCKER.manifest, DOCKER.index]
const ACCEPT = ACCEPTED.join(', ')

/** A manifest or an index as a registry has it, byte for byte. */
export interface Document {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** The manifests of one repository (OCI distribution-spec, "Pulling manifests", "Pushing Manifests"). */
export class Manifests {
  readonly #host: RegistryHost
  readonly #repository: string

  constructor(host: RegistryHost, repository: string) {
    this.#host = host
    this.#repository = repository
  }

  /** What a tag stands for, without reading it; undefined if there is no such tag. A registry that does not say is asked for the whole. */
  async head(name: string): Promise<Descriptor | undefined> {
    const answer = await this.#ask('HEAD', name)
    await letGo(answer)
    if (answer.status === 404) return undefined
    const {
      'docker-content-digest': digest = '',
      'content-type': type = '',
      'content-length': size = '',
    } = answer.headers
    const mediaType = bareType(type)
    if (
      answer.status === 200 &&
      isDigest(digest) &&
      (!isDigest(name) || digest === name) &&
      ACCEPTED.includes(mediaType as never) &&
      /^\d+$/.test(size)
    )
      return { mediaType, digest, size: Number(size) }
    return (await this.get(name))?.descriptor
  }

  /**
   * Reads what a tag or a digest names, and checks that it is what it is called. Undefined if there is none. Throws a `Problem`
   * (`REGISTRY_CONTENT_DIFFERS`, `MANIFEST_TOO_LARGE`, `MANIFEST_UNSUPPORTED`, `REGISTRY_ANSWER_INVALID`, …).
   */
  async get(name: string): Promise<Document | undefined> {
    const place = this.#place(name)
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#ask('GET', name)
      if (answer.status === 404) {
        await letGo(answer)
        return undefined
      }
      if (answer.status !== 200) throw await this.#host.problemOf(answer, 'read', place, this.#repository)
      const declared = Number(answer.headers['content-length'] ?? 0)
      if (declared > LARGEST_MANIFEST) {
        await letGo(answer)
        throw manifestTooLarge(place, declared)
      }
      const bytes = await received(answer, place).catch(error => {
        // A connection that breaks off in the middle is worth another attempt.
        if (attempt < 3 && !(error instanceof Error && error.name === 'Problem')) return undefined
        throw error
      })
      if (bytes) return documentOf(name, place, answer, bytes)
    }
  }

  /** Writes a manifest under a tag or its digest: there at once, whole, or not. */
  async put(name: string, { descriptor, bytes }: Document, scopes: readonly string[]): Promise<HttpAnswer> {
    const place = this.#place(name)
    if (bytes.length > LARGEST_MANIFEST) throw manifestTooLarge(place, bytes.length)
    const answer = await this.#host.send({
      method: 'PUT',
      place: this.#path(name),
      repository: this.#repository,
      scopes,
      headers: { 'content-type': descriptor.mediaType },
      body: bytes,
    })
    if (answer.status !== 201 && answer.status !== 200 && answer.status !== 202)
      throw await this.#host.problemOf(answer, 'write', place, this.#repository)
    await letGo(answer)
    const digest = answer.headers['docker-content-digest']
    if (digest !== undefined && isDigest(digest) && digest !== descriptor.digest)
      throw contentDiffers(place, descriptor.digest, digest)
    return answer
  }

  async #ask(method: 'GET' | 'HEAD', name: string): Promise<HttpAnswer> {
    return await this.#host.send({
      method,
      place: this.#path(name),
      repository: this.#repository,
      scopes: [`repository:${this.#repository}:pull`],
      accept: ACCEPT,
    })
  }

  #path(name: string): string {
    return `/v2/${this.#repository}/manifests/${name}`
  }

  #place(name: string): string {
    return `${this.#host.name}/${this.#repository}${isDigest(name) ? '@' : ':'}${name}`
  }
}

async function received({ body }: HttpAnswer, place: string): Promise<Buffer> {
  let size = 0
  const parts: Uint8Array[] = []
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > LARGEST_MANIFEST) throw manifestTooLarge(place, size)
    parts.push(chunk)
  }
  return Buffer.concat(parts, size)
}

function documentOf(name: string, place: string, { headers }: HttpAnswer, bytes: Buffer): Document {
  const digest = digestOf(bytes)
  const promised: string | undefined = isDigest(name) ? name : headers['docker-content-digest']
  if (promised !== undefined && isDigest(promised) && promised !== digest)
    throw contentDiffers(place, promised as Digest, digest)
  return {
    descriptor: {
      mediaType: mediaTypeOf(bytes, bareType(headers['content-type'] ?? ''), place),
      digest,
      size: bytes.length,
    },
    bytes,
  }
}

/** What a document is by its own word, which has to be that of its header: else two readers would see two things. */
function mediaTypeOf(bytes: Buffer, declared: string, place: string): string {
  const value = parseJson(bytes.toString('utf8'), place, LARGEST_MANIFEST) as Record<string, unknown> | null
  if (typeof value !== 'object' || value === null) throw confused(place, 'it is no JSON object')
  const own = typeof value.mediaType === 'string' ? value.mediaType : undefined
  const known = ACCEPTED.includes(declared as never) ? declared : undefined
  if (own !== undefined && known !== undefined && own !== known)
    throw confused(place, `the header says ${known}, and the document ${JSON.stringify(own.slice(0, 100))}`)
  const found = own ?? known ?? guessed(value)
  if (!found || !ACCEPTED.includes(found as never)) throw manifestUnsupported(place, own ?? declared)
  const [image, index] = ['config' in value || 'layers' in value, 'manifests' in value]
  if (image && index) throw manifestAmbiguous(place)
  if (isIndexType(found) ? !index : !image) throw confused(place, `it says that it is ${found}, and is not`)
  return found
}

function guessed(value: Record<string, unknown>): string | undefined {
  if (value.schemaVersion !== 2) return undefined
  return 'manifests' in value ? OCI.index : 'config' in value ? OCI.manifest : undefined
}

function bareType(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase()
}
