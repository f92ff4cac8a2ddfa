/** A dependency that a buildpack asks for, with what it has to say about it (`version`, `launch`, `build`, …). */
export interface Requirement {
  readonly name: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** One way to take part in a build; `requires` may be written as names only. */
export interface PlanSection {
  readonly provides?: readonly string[]
  readonly requires?: readonly (string | Requirement)[]
}

/** What `detect` says: to take part in one of several ways, best first, or why not. */
export type Detection =
  | { readonly passed: true; readonly sections: readonly PlanSection[] }
  | { readonly passed: false; readonly reason: string }

/** Takes part. Every further section is an alternative (`or`) that the lifecycle tries when the ones before do not resolve. */
export function pass(...sections: PlanSection[]): Detection {
  return { passed: true, sections }
}

/** Does not take part; `reason` is a few words that people read (`no pom.xml`). */
export function fail(reason: string): Detection {
  return { passed: false, reason }
}

/** The build plan as TOML table (buildpack specification, "Build Plan"). */
export function planTable(sections: readonly PlanSection[]): Record<string, unknown> {
  const [first, ...others] = sections.map(sectionTable)
  return { ...first, ...(others.length > 0 && { or: others }) }
}

function sectionTable({ provides = [], requires = [] }: PlanSection): Record<string, unknown> {
  return {
    ...(provides.length > 0 && { provides: provides.map(name => ({ name })) }),
    ...(requires.length > 0 && {
      requires: requires.map(each =>
        typeof each === 'string'
          ? { name: each }
          : { name: each.name, ...(each.metadata && { metadata: each.metadata }) },
      ),
    }),
  }
}
