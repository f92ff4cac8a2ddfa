import * as v from 'valibot'
import { check, parseJson } from '#std'
import { documentInvalid } from './problems.ts'

/** One version of a buildpack in a buildpack registry. */
export interface RegistryEntry {
  readonly namespace: string
  readonly name: string
  readonly version: string
  readonly yanked: boolean
  /** The image that holds it, by digest. */
  readonly address: string
}

const line = v.object({
  ns: v.string(),
  name: v.string(),
  version: v.string(),
  yanked: v.optional(v.boolean(), false),
  addr: v.pipe(v.string(), v.regex(/@sha256:[0-9a-f]{64}$/, 'must name an image by digest')),
})

/** Where a registry index keeps a buildpack (CNB registry specification): by the letters that its name begins with. */
export function registryIndexPath(namespace: string, name: string): string {
  for (const part of [namespace, name]) {
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(part) || part.includes('..'))
      throw documentInvalid(
        `the buildpack ${JSON.stringify(`${namespace}/${name}`)}`,
        'it is not an id of a registry',
      )
  }
  const file = `${namespace}_${name}`
  if (name.length <= 2) return `${name.length}/${file}`
  if (name.length === 3) return `3/${name.slice(0, 2)}/${file}`
  return `${name.slice(0, 2)}/${name.slice(2, 4)}/${file}`
}

/** Reads a file of a registry index, one version on each line. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseRegistryIndex(text: string, source: string): readonly RegistryEntry[] {
  const lines = text.split('\n').filter(each => each.trim() !== '')
  return lines.map((each, index) => {
    const place = `${source} line ${index + 1}`
    const { ns, name, version, yanked, addr } = check(line, parseJson(each, place), place)
    return { namespace: ns, name, version, yanked, address: addr }
  })
}

/** The entry of a version, or without one the newest that is not yanked, by semantic versions. */
export function chooseRegistryEntry(
  entries: readonly RegistryEntry[],
  version: string | undefined,
): RegistryEntry | undefined {
  if (version !== undefined) return entries.find(each => each.version === version && !each.yanked)
  return entries.filter(each => !each.yanked).toSorted((a, b) => newer(b.version, a.version))[0]
}

function newer(a: string, b: string): number {
  const [coreA = '', pre = ''] = a.split(/-(.*)/s)
  const [coreB = '', preB = ''] = b.split(/-(.*)/s)
  const partsA = coreA.split('.').map(Number)
  const partsB = coreB.split('.').map(Number)
  for (const index of [0, 1, 2]) {
    const difference = (partsA[index] ?? 0) - (partsB[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (pre === '' || preB === '') return pre === preB ? 0 : pre === '' ? 1 : -1
  return pre < preB ? -1 : pre > preB ? 1 : 0
}
