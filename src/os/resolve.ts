import { compareDebianVersions, type DebianPackage, type PackageIndex } from '#sources'
import { admits, parseRelations, type Relation } from './dependencies.ts'
import type { Architecture, LockedPackage } from './lock.ts'
import { packageMissing, packagesConflict } from './problems.ts'

/** What is to be resolved. */
export interface Wanted {
  /** In messages: `run:base`. */
  readonly name: string
  readonly release: string
  readonly arch: Architecture
  readonly packages: readonly string[]
  readonly exclude: readonly string[]
  /** Which of several versions of a name is its candidate; the newest by default. */
  readonly choose?: 'newest' | 'oldest'
}

export interface Resolved {
  readonly packages: readonly LockedPackage[]
  readonly excluded: Readonly<Record<string, readonly string[]>>
}

interface Candidate extends LockedPackage {
  readonly fields: Readonly<Record<string, string>>
  readonly provides: readonly Relation[]
}

type Candidates = ReadonlyMap<string, Candidate>
type Providers = ReadonlyMap<string, readonly Candidate[]>

const KEPT = ['Depends', 'Pre-Depends', 'Conflicts', 'Breaks', 'Provides', 'Priority', 'Source']

/**
 * Chooses packages as apt does: one candidate per name, the highest version over all suites (or the lowest); of alternatives the first
 * that is there already or can be had. At the end every dependency and conflict of the result is checked once more.
 * Throws a `Problem` (`BASE_PACKAGE_MISSING`, `BASE_UNSATISFIED`).
 */
export async function resolvePackages(
  indices: readonly Pick<PackageIndex, 'all'>[],
  wanted: Wanted,
): Promise<Resolved> {
  const candidates = new Map<string, Candidate>()
  for (const index of indices) for (const found of await index.all()) consider(candidates, found, wanted)
  const chosen = choose(candidates, wanted)
  const faults = faultsIn(chosen, new Set(wanted.exclude))
  if (faults.length > 0) throw packagesConflict(wanted.name, faults)
  const packages = [...chosen.values()].map(({ fields: _, provides: __, ...locked }) => locked)
  return {
    packages: packages.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    excluded: excludedIn(chosen, new Set(wanted.exclude)),
  }
}

function consider(
  candidates: Map<string, Candidate>,
  found: DebianPackage,
  { arch, choose = 'newest' }: Wanted,
): void {
  const { name, version, path, sha256, size, suite } = found
  if (found.arch !== arch && found.arch !== 'all') return
  const known = candidates.get(name)
  const order = known ? compareDebianVersions(version, known.version) : 1
  if (known && (choose === 'newest' ? order <= 0 : order >= 0)) return
  // The index is large; only what resolving needs is kept of it.
  const fields = Object.fromEntries(
    KEPT.flatMap(field => (found.fields[field] ? [[field, found.fields[field]]] : [])),
  )
  const source = fields.Source?.replace(/ .*/, '')
  candidates.set(name, {
    name,
    version,
    arch: found.arch,
    sha256,
    size,
    path,
    suite,
    ...(source && source !== name ? { source } : {}),
    why: '',
    fields,
    provides: parseRelations(fields.Provides).flat(),
  })
}

function choose(candidates: Candidates, wanted: Wanted): Map<string, Candidate> {
  const excluded = new Set(wanted.exclude)
  const providers = providersIn(candidates)
  const chosen = new Map<string, Candidate>()
  const queue: Candidate[] = []
  const add = (candidate: Candidate, why: string) => {
    const made = { ...candidate, why }
    chosen.set(candidate.name, made)
    queue.push(made)
  }
  // All that the recipe names comes first, so that it decides which of several alternatives is taken.
  for (const name of wanted.packages) {
    const candidate = candidates.get(name)
    if (!candidate) throw packageMissing(wanted.name, name, wanted.release, wanted.arch)
    if (!chosen.has(name)) add(candidate, 'recipe')
  }
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const group of dependenciesOf(next)) {
      if (group.some(each => excluded.has(each.name) || satisfied(each, chosen))) continue
      const found = group
        .flatMap(each => optionsFor(each, candidates, providers))
        .find(({ name }) => !excluded.has(name))
      if (!found) {
        throw packageMissing(
          wanted.name,
          `${group.map(printed).join(' or ')}, which ${next.name} needs,`,
          wanted.release,
          wanted.arch,
        )
      }
      add(found, next.name)
    }
  }
  return chosen
}

function providersIn(candidates: Candidates): Providers {
  const providers = new Map<string, Candidate[]>()
  for (const candidate of candidates.values()) {
    for (const { name } of candidate.provides)
      providers.set(name, [...(providers.get(name) ?? []), candidate])
  }
  return providers
}

const PRIORITIES = ['required', 'important', 'standard', 'optional']

/** The real package first, then those that provide the name, the more important and then the alphabetically first before others. */
function optionsFor(relation: Relation, candidates: Candidates, providers: Providers): Candidate[] {
  const real = candidates.get(relation.name)
  const rank = ({ fields }: Candidate) => {
    const found = PRIORITIES.indexOf(fields.Priority ?? '')
    return found < 0 ? PRIORITIES.length : found
  }
  const virtual = (providers.get(relation.name) ?? [])
    .filter(({ provides }) => provides.some(offer => offers(offer, relation)))
    .toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  return [...(real && admits(relation, real.version) ? [real] : []), ...virtual]
}

/** A provided name without a version satisfies only relations without one (Debian Policy 7.5). */
function offers(offer: Relation, { name, operator, version }: Relation): boolean {
  if (offer.name !== name) return false
  if (operator === undefined) return true
  return (
    offer.version !== undefined &&
    admits({ name, operator, ...(version === undefined ? {} : { version }) }, offer.version)
  )
}

function satisfied(relation: Relation, chosen: Candidates): boolean {
  const real = chosen.get(relation.name)
  if (real && admits(relation, real.version)) return true
  for (const { provides } of chosen.values()) if (provides.some(offer => offers(offer, relation))) return true
  return false
}

function dependenciesOf({ fields }: Candidate): Relation[][] {
  return [...parseRelations(fields['Pre-Depends']), ...parseRelations(fields.Depends)]
}

/** The closing pass: what does not hold in the result, in words. */
function faultsIn(chosen: Candidates, excluded: ReadonlySet<string>): string[] {
  const faults: string[] = []
  for (const each of chosen.values()) {
    for (const group of dependenciesOf(each)) {
      if (!group.some(relation => excluded.has(relation.name) || satisfied(relation, chosen)))
        faults.push(`${each.name} ${each.version} needs ${group.map(printed).join(' or ')}`)
    }
    for (const field of ['Conflicts', 'Breaks']) {
      for (const relation of parseRelations(each.fields[field]).flat()) {
        for (const other of chosen.values()) {
          if (other.name === each.name) continue
          const hit =
            (other.name === relation.name && admits(relation, other.version)) ||
            other.provides.some(offer => offers(offer, relation))
          if (hit)
            faults.push(
              `${each.name} ${each.version} cannot be beside ${other.name} ${other.version} (${printed(relation)})`,
            )
        }
      }
    }
  }
  return faults
}

function excludedIn(chosen: Candidates, excluded: ReadonlySet<string>): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const each of [...chosen.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const group of dependenciesOf(each)) {
      if (group.some(relation => satisfied(relation, chosen))) continue
      for (const { name } of group) {
        if (!excluded.has(name)) continue
        const by = found[name] ?? []
        if (!by.includes(each.name)) found[name] = [...by, each.name]
      }
    }
  }
  return found
}

function printed({ name, operator, version }: Relation): string {
  return operator === undefined ? name : `${name} (${operator} ${version})`
}
