/** The words of a failure: what did not happen, why, and what its reader can do next. */
export interface ProblemWords {
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly cause?: unknown
  /** Process exit code when this failure ends a command; 1 unless the CNB contract names one. */
  readonly exitCode?: number
}

/** A failure its reader can act on. Everything a person may cause throws one of these; bugs throw plain `Error`. */
export class Problem<Code extends string = string> extends Error {
  override readonly name = 'Problem'
  readonly code: Code
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly exitCode: number

  constructor(code: Code, { what, why, fix, cause, exitCode }: ProblemWords) {
    super(`${what}: ${why}`, { cause })
    this.code = code
    this.what = what
    this.why = why
    this.fix = fix
    this.exitCode = exitCode ?? 1
  }
}

/** True for a Node.js system error with one of these codes (`ENOENT`, `EEXIST`, …). */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
