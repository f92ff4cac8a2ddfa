import { Problem } from '#std'

/** One thing that a machine has or lacks. */
export interface Finding {
  /** What was looked for. */
  readonly name: string
  /** `good`: all is there. `weak`: works, with less than it could. `missing`: builds or runs need it. */
  readonly state: 'good' | 'weak' | 'missing'
  /** What was found, in words. */
  readonly found: string
  /** What to do; there unless all is good. */
  readonly fix?: string
}

export const good = (name: string, found: string): Finding => ({ name, state: 'good', found })
export const weak = (name: string, found: string, fix: string): Finding => ({
  name,
  state: 'weak',
  found,
  fix,
})
export const missing = (name: string, found: string, fix: string): Finding => ({
  name,
  state: 'missing',
  found,
  fix,
})

/** A finding in the words of the failure that a build would end with. Anything but a `Problem` is thrown on. */
export function findingOf(name: string, error: unknown, state: 'weak' | 'missing' = 'missing'): Finding {
  if (!(error instanceof Problem)) throw error
  return { name, state, found: `${error.what}: ${error.why}`, fix: error.fix }
}
