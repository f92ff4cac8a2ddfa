import {
  deleteReference,
  listRepositories,
  listTags,
  parseReference,
  parseRegistry,
  type Registries,
} from '#oci'
import { imageMissing } from '../problems.ts'

/** How an image of a registry is named where others are too (containers-transports(5)). */
const SCHEME = 'docker://'

/** A name without the scheme, whether it had it or not. */
export function bareName(text: string): string {
  return registryName(text) ?? text
}

/** True for a name that says in which registry it is; another is first of all one of the store, and then of Docker Hub. */
export function hasHost(text: string): boolean {
  return text.startsWith(SCHEME) || /^(?:localhost|[^/]*[.:][^/]*)\//.test(text)
}

/** What follows `docker://`; undefined for names of other places. */
export function registryName(text: string): string | undefined {
  return text.startsWith(SCHEME) ? text.slice(SCHEME.length) : undefined
}

/** The repositories of a registry (`HOST[:PORT]`), or the tags of a repository, as they can be named. Throws a `Problem` (`REFERENCE_INVALID`, …). */
export async function* listRegistry(registries: Registries, name: string): AsyncGenerator<string> {
  if (!name.includes('/')) {
    const host = registries.host(parseRegistry(name))
    for await (const repository of listRepositories(host)) yield `${host.name}/${repository}`
    return
  }
  const { registry, repository } = parseReference(name)
  for await (const tag of listTags(registries.host(registry), repository))
    yield `${registry}/${repository}:${tag}`
}

/** Deletes what is named in registries; returns what was there. Unless `lenient`, what is not there is a `Problem` (`IMAGE_MISSING`). */
export async function removeFromRegistries(
  registries: Registries,
  names: readonly string[],
  lenient: boolean,
): Promise<string[]> {
  const removed: string[] = []
  for (const name of names) {
    const reference = parseReference(name)
    if (await deleteReference(registries.host(reference.registry), reference))
      removed.push(`${SCHEME}${name}`)
    else if (!lenient) throw imageMissing(`${SCHEME}${name}`)
  }
  return removed
}
