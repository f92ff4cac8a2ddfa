import { type Digest, isDigest } from '#std'
import { nameInvalid } from './problems.ts'

/**
 * The name of an image in the local store, tidied: `shop` and `shop:latest` are one, and so for a name with a registry.
 * Grammar of OCI distribution-spec: parts of lower-case letters and digits joined by `.`, `_`, `__` or dashes; the first part may be
 * a host with a port; a tag has at most 128 characters. Throws a `Problem` (`NAME_INVALID`, exit code 3).
 */
export function parseName(text: string): string {
  if (text.includes('@') || isDigest(text))
    throw nameInvalid(text, 'a digest cannot be given as a name to write')
  const slash = text.lastIndexOf('/')
  const colon = text.indexOf(':', slash + 1)
  const repository = colon < 0 ? text : text.slice(0, colon)
  const tag = colon < 0 ? 'latest' : text.slice(colon + 1)
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag))
    throw nameInvalid(text, `${JSON.stringify(tag)} is not a tag`)
  const parts = repository.split('/')
  const host = parts.length > 1 && /[.:]|^localhost$/.test(parts[0] as string) ? parts.shift() : undefined
  if (host !== undefined && !/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/.test(host))
    throw nameInvalid(text, `${JSON.stringify(host)} is not a host`)
  for (const part of parts) {
    if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))
      throw nameInvalid(text, `${JSON.stringify(part)} is not a part of a name`)
  }
  if (repository.length > 255) throw nameInvalid(text, 'it is longer than 255 characters')
  return `${repository}:${tag}`
}

/**
 * What a reference to an image of the store names, tidied: of `NAME@DIGEST` the name, of a digest alone nothing.
 * Throws a `Problem` (`NAME_INVALID`, exit code 3).
 */
export function namedBy(reference: string): string | undefined {
  const digest = digestIn(reference)
  if (digest === reference) return undefined
  return parseName(digest ? reference.slice(0, -digest.length - 1) : reference)
}

/** The digest of `NAME@DIGEST`, or of a digest alone: content is the same under any name. */
export function digestIn(reference: string): Digest | undefined {
  const digest = reference.slice(reference.indexOf('@') + 1)
  return isDigest(digest) ? digest : undefined
}

/** The name as people write it: without `:latest`. */
export function shortName(name: string): string {
  return name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name
}

/**
 * The name of an image in a layout for exchange, as it is written: the grammar of `org.opencontainers.image.ref.name`
 * (image-spec annotations.md), such as `latest` or `team/shop:1.2`. Throws a `Problem` (`NAME_INVALID`, exit code 3).
 */
export function parseRefName(text: string): string {
  if (text.length > 512) throw nameInvalid(text, 'it is longer than 512 characters')
  const component = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*$/
  for (const part of text.split('/')) {
    if (!component.test(part)) throw nameInvalid(text, `${JSON.stringify(part)} is not a part of a name`)
  }
  return text
}
