import * as v from 'valibot'
import { check, isDigest, letGo, parseJson, readAll } from '#std'
import { printReference, type Reference, withTag } from '../../reference.ts'
import { placeNamedBy } from './addresses.ts'
import type { RegistryHost } from './host.ts'
import { confused, undeletable } from './problems.ts'

const LARGEST_PAGE = 4 * 2 ** 20
const PAGES = 10_000

/** The tags of a repository, as the registry sorts them (OCI distribution-spec, "Listing Tags"); nothing where there is no such repository. */
export function listTags(host: RegistryHost, repository: string): AsyncGenerator<string> {
  const scopes = [`repository:${repository}:pull`]
  return strings(host, { path: `/v2/${repository}/tags/list`, key: 'tags', repository, scopes })
}

/** The repositories of a registry, where it tells (`/v2/_catalog` of Docker's registry API). */
export function listRepositories(host: RegistryHost): AsyncGenerator<string> {
  return strings(host, {
    path: '/v2/_catalog?n=100',
    key: 'repositories',
    repository: '',
    scopes: ['registry:catalog:*'],
  })
}

async function* strings(
  host: RegistryHost,
  { key, ...listing }: Listing & { readonly key: 'tags' | 'repositories' },
): AsyncGenerator<string> {
  const schema = v.looseObject({ [key]: v.nullish(v.array(v.pipe(v.string(), v.maxLength(512)))) })
  for await (const page of pages(host, listing)) {
    const found = check(schema, page, `a list of ${host.name}`)[key]
    yield* (found ?? []) as string[]
  }
}

interface Listing {
  readonly path: string
  readonly repository: string
  readonly scopes: readonly string[]
  readonly accept?: string
}

/** Each page of a list (RFC 8288, `rel="next"`), on this registry alone. Nothing where the registry knows of no such list. */
export async function* pages(
  host: RegistryHost,
  { path, repository, scopes, accept }: Listing,
): AsyncGenerator<unknown> {
  const seen = new Set<string>()
  let place: string | URL = path
  for (let page = 0; page < PAGES; page++) {
    const answer = await host.send({ method: 'GET', place, repository, scopes, ...(accept && { accept }) })
    if (answer.status === 404) return await letGo(answer)
    if (answer.status !== 200)
      throw await host.problemOf(
        answer,
        'list what is in',
        `${host.name}${repository && `/${repository}`}`,
        repository,
      )
    const text = (
      await readAll(answer.body, LARGEST_PAGE).catch(cause =>
        Promise.reject(confused(host.name, 'a list does not come whole', cause)),
      )
    ).toString('utf8')
    yield parseJson(text, `a list of ${host.name}`)
    const [, next] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.headers.link ?? '') ?? []
    if (next === undefined) return
    const from = new URL(answer.url)
    const to = placeNamedBy(from, next, 'the next page of a list')
    if (to.host !== from.host) throw confused(host.name, `the next page of a list is on ${to.host}`)
    if (seen.has(to.href)) throw confused(host.name, 'the pages of a list lead in a circle')
    seen.add(to.href)
    place = to
  }
  throw confused(host.name, 'a list does not end')
}

/**
 * Deletes what a reference names (OCI distribution-spec, "Deleting manifests", "Deleting tags"): with a digest an image and all of its tags, else the tag alone. False if there is no such thing. A registry that can
 * only delete images is not made to delete one for a tag. Throws a `Problem` (`REGISTRY_CANNOT_DELETE`, `REGISTRY_DENIED`, …).
 */
export async function deleteReference(host: RegistryHost, reference: Reference): Promise<boolean> {
  const wanted = withTag(reference)
  const { repository } = wanted
  const name = wanted.digest ?? (wanted.tag as string)
  const answer = await host.send({
    method: 'DELETE',
    place: `/v2/${repository}/manifests/${name}`,
    repository,
    scopes: [`repository:${repository}:pull,delete`],
  })
  const { status } = answer
  if (status === 202 || status === 200 || status === 204 || status === 404) {
    await letGo(answer)
    return status !== 404
  }
  if (status === 405 || status === 501 || (status === 400 && !isDigest(name))) {
    await letGo(answer)
    throw undeletable(printReference(wanted), !isDigest(name))
  }
  throw await host.problemOf(answer, 'delete', printReference(wanted), repository)
}
