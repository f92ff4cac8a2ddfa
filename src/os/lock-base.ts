import { join } from 'node:path'
import * as v from 'valibot'
import type { DebianArchive, PackageIndex } from '#sources'
import {
  check,
  digestOf,
  hexOf,
  isSystemError,
  parseJson,
  printJson,
  type Report,
  readIfExists,
  writeDurably,
} from '#std'
import { fetchPackages } from './fetch.ts'
import { type Architecture, type BaseLock, baseLockSchema, type LockedSuite } from './lock.ts'
import { mirrorOutOfStep, releaseUnknown } from './problems.ts'
import type { Recipe } from './recipe.ts'
import { type Resolved, resolvePackages, type Wanted } from './resolve.ts'
import { refuseUnknownScripts } from './scripts.ts'
import { STEPS_REVISION } from './steps.ts'

/** What is to be pinned. */
export interface Target {
  readonly release: string
  readonly arch: Architecture
}

/** Part of the names of remembered choices; another revision chooses anew. */
const REVISION = 1

/**
 * Chooses the packages of a recipe from the newest signed indices, fetches them and pins them. Indices are large: what was
 * chosen from them is remembered below `<home>/indices` by their digests. Throws a `Problem` where packages do not fit
 * together, or where one has a maintainer script that slipway has no replacement for (`BASE_SCRIPT_UNKNOWN`).
 */
export async function lockBase(
  recipe: Recipe,
  { release, arch }: Target,
  {
    home,
    archive,
    report,
  }: { readonly home: string; readonly archive: DebianArchive; readonly report: Report },
): Promise<BaseLock> {
  const found = recipe.releases[release]
  if (!found) throw releaseUnknown(recipe.name, release, Object.keys(recipe.releases))
  const wanted: Wanted = {
    name: recipe.name,
    release,
    arch,
    packages: [...recipe.packages, ...found.packages],
    exclude: [...recipe.exclude, ...found.exclude],
    choose: recipe.choose,
  }
  const indices = await openIndices(found.suites, arch, archive, report)
  const question = {
    wanted,
    indices: indices.map(({ digest }) => digest),
    steps: STEPS_REVISION,
    revision: REVISION,
  }
  const memory = join(home, 'indices', `choice-${hexOf(digestOf(printJson(question)))}.json`)
  const known = await remembered(memory)
  const resolved = known ?? (await chooseChecked(indices, wanted, archive, report))
  if (!known) await writeDurably(memory, printJson(resolved))
  return { name: recipe.name, release, arch, suites: indices.map(stateOf), ...resolved }
}

async function openIndices(
  suites: readonly string[],
  arch: Architecture,
  archive: DebianArchive,
  report: Report,
): Promise<PackageIndex[]> {
  using _ = report.progress(`indices of ${suites.join(', ')}`)
  return await Promise.all(suites.map(suite => archive.index(suite, arch)))
}

async function chooseChecked(
  indices: readonly PackageIndex[],
  wanted: Wanted,
  archive: DebianArchive,
  report: Report,
): Promise<Resolved> {
  const resolved = await resolvePackages(indices, wanted)
  const artifacts = await fetchPackages(wanted.name, resolved.packages, archive, report).catch(error => {
    throw isSystemError(error, 'BASE_PACKAGES_VANISHED') ? mirrorOutOfStep(wanted.name, error) : error
  })
  await refuseUnknownScripts(
    wanted.name,
    resolved.packages.map(({ name }, index) => ({ name, path: artifacts[index]?.path as string })),
  )
  return resolved
}

function stateOf({ suite, digest, release: { date, signers } }: PackageIndex): LockedSuite {
  return {
    suite,
    date: new Date(date * 1000).toISOString(),
    index: hexOf(digest),
    signers: signers.toSorted(),
  }
}

const resolvedSchema = v.pick(baseLockSchema, ['packages', 'excluded'])

/** Only a memory, so what cannot be read is as good as nothing. */
async function remembered(path: string): Promise<Resolved | undefined> {
  const text = await readIfExists(path)
  if (text === undefined) return undefined
  try {
    return check(resolvedSchema, parseJson(text, path), path) as Resolved
  } catch {
    return undefined
  }
}
