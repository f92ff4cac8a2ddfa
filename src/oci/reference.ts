import { type Digest, isDigest } from '#std'
import { referenceInvalid } from './problems.ts'

/** Where an image of a registry is: a repository, and there a tag, a digest, or both, of which the digest decides. */
export interface Reference {
  /** A host, with a port if it has one: `ghcr.io`, `127.0.0.1:5000`. Docker Hub is `index.docker.io`. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** A repository of a registry. */
export type Repository = Pick<Reference, 'registry' | 'repository'>

/** Where names without a registry are. */
export const DEFAULT_REGISTRY = 'index.docker.io'
const HUB = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/**
 * Reads `[HOST[:PORT]/]NAME[:TAG][@DIGEST]` (OCI distribution-spec, "Pulling manifests", and the habits of Docker's clients): the first part is a host if it has
 * a `.` or a `:` or is `localhost`; without one Docker Hub is meant, where names of one part are in `library/`. Throws a `Problem`
 * (`REFERENCE_INVALID`, exit code 3).
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest))
    throw referenceInvalid(text, 'what follows @ is not sha256: and 64 lower-case hex digits')
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag))
    throw referenceInvalid(text, `${JSON.stringify(tag)} is not a tag`)
  const place = parseRepository(colon < 0 ? named : named.slice(0, colon), text)
  return { ...place, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

function parseRepository(path: string, text: string): Repository {
  const parts = path.split('/')
  const host = parts.length > 1 && /[.:[]|^localhost$/.test(parts[0] as string) ? parts.shift() : undefined
  const registry = host === undefined ? DEFAULT_REGISTRY : parseRegistry(host, text)
  for (const part of parts) {
    if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))
      throw referenceInvalid(text, `${JSON.stringify(part)} is not a part of a name`)
  }
  const repository = parts.join('/')
  if (repository.length > 255) throw referenceInvalid(text, 'it is longer than 255 characters')
  return {
    registry,
    repository: registry === DEFAULT_REGISTRY && parts.length === 1 ? `library/${repository}` : repository,
  }
}

/** Checks the host of a registry and gives it its one name, in lower case. Throws a `Problem` (`REFERENCE_INVALID`, exit code 3). */
export function parseRegistry(host: string, text = host): string {
  const name = host.toLowerCase()
  const found =
    /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/.exec(
      name,
    )
  if (!found || Number(found[1] ?? 1) > 65535 || !URL.canParse(`https://${name}/`))
    throw referenceInvalid(text, `${JSON.stringify(host.slice(0, 100))} is not a host`)
  return HUB.has(name) ? DEFAULT_REGISTRY : name
}

/** The reference in full, as labels and reports have it: `index.docker.io/library/debian:trixie`. */
export function printReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** The reference with the tag `latest` where it has neither tag nor digest. */
export function withTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference
}

/** By what a registry knows it in its repository: the digest, else the tag, else `latest`. */
export function nameIn({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest'
}
