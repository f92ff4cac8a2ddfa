import * as v from 'valibot'
import { printToml } from '#std'
import type { Require } from './build-plan.ts'
import { freeTable, readDocument } from './document.ts'

/** A buildpack or extension that provides a dependency. */
export interface Provider {
  readonly id: string
  readonly version: string
  readonly extension?: boolean
}

/** A dependency with all who provide it and all that is required of it. */
export interface PlanEntry {
  readonly providers: readonly Provider[]
  readonly requires: readonly Require[]
}

/** What detection agreed on (plan.toml), in the order in which dependencies were first required. */
export type Plan = readonly PlanEntry[]

const requires = v.array(v.object({ name: v.string(), metadata: v.optional(freeTable, () => ({})) }))
const provider = v.object({ id: v.string(), version: v.string(), extension: v.optional(v.boolean(), false) })
const document = v.object({
  entries: v.optional(
    v.array(v.object({ providers: v.array(provider), requires: v.optional(requires, () => []) })),
    () => [],
  ),
})
const buildpackPlan = v.object({ entries: v.optional(requires, () => []) })

/** Prints a plan.toml; an empty plan is empty text. */
export function printPlan(plan: Plan): string {
  const entries = plan.map(({ providers, requires: wanted }) => ({
    providers: providers.map(({ id, version, extension }) => ({
      id,
      version,
      ...(extension && { extension }),
    })),
    requires: wanted.map(requireTable),
  }))
  return entries.length === 0 ? '' : printToml({ entries })
}

/** Reads a plan.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parsePlan(text: string, file: string): Plan {
  return readDocument(document, text, file).entries.map(({ providers, requires: wanted }) => ({
    providers: providers.map(({ id, version, extension }) => ({
      id,
      version,
      ...(extension && { extension }),
    })),
    requires: wanted,
  }))
}

/** Prints the Buildpack Plan that bin/build is handed. */
export function printBuildpackPlan(wanted: readonly Require[]): string {
  return wanted.length === 0 ? '' : printToml({ entries: wanted.map(requireTable) })
}

/** Reads the Buildpack Plan that bin/build is handed. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseBuildpackPlan(text: string, file: string): readonly Require[] {
  return readDocument(buildpackPlan, text, file).entries
}

/** The requirements that a buildpack is to meet: those of every entry that names it as a provider. */
export function requiresFor(plan: Plan, { id, version }: Provider): readonly Require[] {
  return entriesFor(plan, { id, version }).flatMap(entry => entry.requires)
}

/** The plan that is left for later buildpacks once one has met what it did not call unmet. */
export function withoutMet(plan: Plan, provider: Provider, unmet: readonly string[]): Plan {
  const met = new Set(
    requiresFor(plan, provider)
      .map(({ name }) => name)
      .filter(name => !unmet.includes(name)),
  )
  return plan.filter(entry => entry.requires.every(({ name }) => !met.has(name)))
}

function entriesFor(plan: Plan, { id, version }: Provider): Plan {
  return plan.filter(({ providers }) =>
    providers.some(provider => !provider.extension && provider.id === id && provider.version === version),
  )
}

function requireTable({ name, metadata }: Require) {
  return { name, ...(Object.keys(metadata).length > 0 && { metadata }) }
}
