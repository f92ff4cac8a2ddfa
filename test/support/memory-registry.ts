import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readAll } from '#std'

/** What a registry in memory holds, by repository. */
export interface Contents {
  readonly blobs: Map<string, Map<string, Buffer>>
  readonly manifests: Map<string, Map<string, { type: string; bytes: Buffer }>>
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A registry in memory (OCI distribution-spec): what faults are put in front of, so that all around them is as it should be. */
export class MemoryRegistry {
  readonly contents: Contents = { blobs: new Map(), manifests: new Map() }
  readonly uploads = new Map<string, Buffer>()
  /** Lists are cut into pages of so many. */
  pageSize = 100
  /** Whether it knows of referrers. */
  knowsReferrers = true

  put(repository: string, bytes: Buffer): string {
    const digest = sha256(bytes)
    this.#blobs(repository).set(digest, bytes)
    return digest
  }

  putManifest(repository: string, names: readonly string[], type: string, bytes: Buffer): string {
    const digest = sha256(bytes)
    for (const name of [...names, digest]) this.#manifests(repository).set(name, { type, bytes })
    return digest
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', 'http://registry.invalid')
    const [, repository = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(blobs|manifests|tags|referrers)\/(.*)$/.exec(url.pathname) ?? []
    if (url.pathname === '/v2/') return end(response, 200)
    if (url.pathname === '/v2/_catalog')
      return this.#page(response, url, 'repositories', [...this.contents.manifests.keys()])
    if (kind === 'tags')
      return this.#page(
        response,
        url,
        'tags',
        [...this.#manifests(repository).keys()].filter(name => !name.includes(':')),
      )
    if (kind === 'referrers') return this.#referrers(response, repository, rest, url)
    if (kind === 'manifests') return await this.#manifest(request, response, repository, rest)
    if (rest.startsWith('uploads/'))
      return await this.#upload(request, response, repository, rest.slice('uploads/'.length), url)
    if (kind === 'blobs') return this.#blob(request, response, repository, rest)
    end(response, 404)
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<unknown> {
    const all = this.#manifests(repository)
    if (request.method === 'PUT') {
      const bytes = await readAll(request)
      const { config, layers = [], subject } = JSON.parse(bytes.toString('utf8'))
      const missing = [config, ...layers].filter(blob => blob && !this.#blobs(repository).has(blob.digest))
      if (missing.length > 0) return error(response, 400, 'MANIFEST_BLOB_UNKNOWN')
      const digest = this.putManifest(repository, [name], request.headers['content-type'] ?? '', bytes)
      if (subject && this.knowsReferrers) response.setHeader('oci-subject', subject.digest)
      return end(response, 201, { 'docker-content-digest': digest })
    }
    const found = all.get(name)
    if (!found) return error(response, 404, 'MANIFEST_UNKNOWN')
    if (request.method === 'DELETE') {
      const digest = sha256(found.bytes)
      for (const [key, { bytes }] of all)
        if (key === name || (name === digest && sha256(bytes) === digest)) all.delete(key)
      return end(response, 202)
    }
    end(
      response,
      200,
      { 'content-type': found.type, 'docker-content-digest': sha256(found.bytes) },
      found.bytes,
    )
  }

  #blob(request: IncomingMessage, response: ServerResponse, repository: string, digest: string) {
    const found = this.#blobs(repository).get(digest)
    if (!found) return error(response, 404, 'BLOB_UNKNOWN')
    const [, start] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? []
    if (start === undefined) return end(response, 200, {}, found)
    const headers = { 'content-range': `bytes ${start}-${found.length - 1}/${found.length}` }
    end(response, 206, headers, found.subarray(Number(start)))
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    id: string,
    url: URL,
  ): Promise<unknown> {
    if (request.method === 'POST') {
      const [mount, from] = [url.searchParams.get('mount'), url.searchParams.get('from')]
      const mounted = mount && from ? this.#blobs(from).get(mount) : undefined
      if (mounted) {
        this.put(repository, mounted)
        return end(response, 201)
      }
      const fresh = randomBytes(8).toString('hex')
      this.uploads.set(fresh, Buffer.alloc(0))
      return end(response, 202, { location: `/v2/${repository}/blobs/uploads/${fresh}`, range: '0-0' })
    }
    const so = this.uploads.get(id)
    if (!so) return error(response, 404, 'BLOB_UPLOAD_UNKNOWN')
    const location = `/v2/${repository}/blobs/uploads/${id}`
    if (request.method === 'GET')
      return end(response, 204, { location, range: `0-${Math.max(0, so.length - 1)}` })
    const [, start] = /^(\d+)-/.exec(request.headers['content-range'] ?? '') ?? []
    if (start !== undefined && Number(start) !== so.length)
      return end(response, 416, { location, range: `0-${Math.max(0, so.length - 1)}` })
    const bytes = await this.#receive(request, id, so)
    if (request.method === 'PATCH')
      return end(response, 202, { location, range: `0-${Math.max(0, bytes.length - 1)}` })
    if (sha256(bytes) !== url.searchParams.get('digest')) return error(response, 400, 'DIGEST_INVALID')
    this.put(repository, bytes)
    this.uploads.delete(id)
    end(response, 201)
  }

  /** What has come is kept, also where the rest does not. */
  async #receive(request: IncomingMessage, id: string, before: Buffer): Promise<Buffer> {
    let bytes = before
    for await (const chunk of request) {
      bytes = Buffer.concat([bytes, chunk])
      this.uploads.set(id, bytes)
    }
    return bytes
  }

  #referrers(response: ServerResponse, repository: string, digest: string, url: URL) {
    if (!this.knowsReferrers) return error(response, 404, 'NOT_FOUND')
    const manifests = [...this.#manifests(repository)].flatMap(([name, { type, bytes }]) => {
      const { subject, artifactType, annotations } = JSON.parse(bytes.toString('utf8'))
      const fits = subject?.digest === digest && name === sha256(bytes)
      const wanted = url.searchParams.get('artifactType')
      return fits && (!wanted || wanted === artifactType)
        ? [{ mediaType: type, digest: name, size: bytes.length, artifactType, annotations }]
        : []
    })
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests,
    })
    end(response, 200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }, Buffer.from(text))
  }

  #page(response: ServerResponse, url: URL, key: string, all: readonly string[]) {
    const sorted = all.toSorted()
    const last = url.searchParams.get('last')
    const rest = last === null ? sorted : sorted.filter(name => name > last)
    const page = rest.slice(0, this.pageSize)
    const link = `<${url.pathname}?last=${page.at(-1)}&n=${this.pageSize}>; rel="next"`
    end(
      response,
      200,
      page.length < rest.length ? { link } : {},
      Buffer.from(JSON.stringify({ [key]: page })),
    )
  }

  #blobs(repository: string): Map<string, Buffer> {
    const found = this.contents.blobs.get(repository) ?? new Map()
    this.contents.blobs.set(repository, found)
    return found
  }

  #manifests(repository: string): Map<string, { type: string; bytes: Buffer }> {
    const found = this.contents.manifests.get(repository) ?? new Map()
    this.contents.manifests.set(repository, found)
    return found
  }
}

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: Buffer = Buffer.alloc(0),
): void {
  response.writeHead(status, { 'content-length': String(body.length), ...headers }).end(body)
}

function error(response: ServerResponse, status: number, code: string): void {
  end(response, status, {}, Buffer.from(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] })))
}
