import * as v from 'valibot'
import { check, type Digest, hexOf, isDigest, parseJson } from '#std'
import { type Descriptor, describeBytes, descriptorSchema, tidy } from '../../descriptor.ts'
import { OCI } from '../../media-types.ts'
import type { RegistryHost } from './host.ts'
import { pages } from './listing.ts'
import { type Document, Manifests } from './manifests.ts'

/** What says something about an image and names it as its subject: a signature, a bill of materials, an attestation. */
export interface Referrer extends Descriptor {
  readonly artifactType?: string
}

/** The media type of a configuration that says nothing, and its two bytes (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') } as const

const MOST = 10_000
const indexSchema = v.looseObject({
  schemaVersion: v.literal(2),
  manifests: v.nullish(
    v.pipe(
      v.array(v.object({ ...descriptorSchema.entries, artifactType: v.optional(v.string()) })),
      v.maxLength(MOST),
    ),
  ),
})

/**
 * All that refers to a manifest (OCI distribution-spec, "Listing Referrers"), of one artifact type or of any. A registry that knows of no referrers has them in an index under
 * the tag `sha256-<hex>` ("Referrers Tag Schema").
 */
export async function listReferrers(
  host: RegistryHost,
  repository: string,
  digest: Digest,
  artifactType?: string,
): Promise<Referrer[]> {
  const found: Referrer[] = []
  let known = false
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  const path = `/v2/${repository}/referrers/${digest}${query}`
  for await (const page of pages(host, {
    path,
    repository,
    scopes: [`repository:${repository}:pull`],
    accept: OCI.index,
  })) {
    known = true
    found.push(...referrersIn(page, `the referrers of ${digest}`))
    if (found.length > MOST) break
  }
  if (!known) found.push(...(await tagged(new Manifests(host, repository), digest)).referrers)
  // A registry need not filter.
  return artifactType === undefined ? found : found.filter(each => each.artifactType === artifactType)
}

/** Writes a manifest that has a subject; where the registry does not say that it took note of that, the index of the tag schema is brought up to date. */
export async function putReferrer(
  host: RegistryHost,
  repository: string,
  subject: Digest,
  document: Document,
  referrer: Referrer,
): Promise<void> {
  const manifests = new Manifests(host, repository)
  const scopes = [`repository:${repository}:pull,push`]
  const answer = await manifests.put(document.descriptor.digest, document, scopes)
  if (isDigest(answer.headers['oci-subject'] ?? '')) return
  const { referrers } = await tagged(manifests, subject)
  if (referrers.some(each => each.digest === referrer.digest)) return
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests: [...referrers, referrer] }),
  )
  await manifests.put(tagOf(subject), { descriptor: describeBytes(OCI.index, bytes), bytes }, scopes)
}

async function tagged(manifests: Manifests, digest: Digest): Promise<{ referrers: Referrer[] }> {
  const found = await manifests.get(tagOf(digest))
  if (found?.descriptor.mediaType !== OCI.index) return { referrers: [] }
  const source = `the referrers of ${digest}`
  return { referrers: referrersIn(parseJson(found.bytes.toString('utf8'), source), source) }
}

function tagOf(digest: Digest): string {
  return `sha256-${hexOf(digest)}`
}

function referrersIn(value: unknown, source: string): Referrer[] {
  const { manifests } = check(indexSchema, value, source)
  return (manifests ?? []).map(({ artifactType, ...descriptor }) => ({
    ...tidy(descriptor),
    ...(artifactType !== undefined && { artifactType }),
  }))
}
