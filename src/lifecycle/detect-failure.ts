import type { BuildpackId } from '#cnb'
import { Problem } from '#std'
import { EXIT } from './problems.ts'

/** What became of one buildpack in a detection. */
export interface DetectAttempt {
  readonly id: BuildpackId
  readonly version: string
  /** `left out`: it was not run, because it is for other bases. */
  readonly result: 'passed' | 'failed' | 'errored' | 'left out'
  /** What it said last, in one line; empty if nothing. */
  readonly words: string
  /** Files that it looks for, as its buildpack.toml says (`[metadata.slipway] files`). */
  readonly wantedFiles: readonly string[]
}

/** Detection found no group of buildpacks that fits; `attempts` says what each buildpack wanted and said. */
export class DetectFailure extends Problem<'DETECT_FAILED'> {
  readonly attempts: readonly DetectAttempt[]
  readonly #notes: readonly string[]
  readonly #errored: boolean

  /** `fix` says what to do where the caller knows better. */
  constructor(attempts: readonly DetectAttempt[], notes: readonly string[], errored: boolean, fix?: string) {
    super('DETECT_FAILED', {
      what: 'No group of buildpacks passed detection',
      why: whyOf(attempts, notes),
      fix: fix ?? fixFor(attempts),
      exitCode: errored ? EXIT.detectErrored : EXIT.detectNonePassed,
    })
    this.attempts = attempts
    this.#notes = notes
    this.#errored = errored
  }

  /** The same failure with another thing to do. */
  withFix(fix: string): DetectFailure {
    return new DetectFailure(this.attempts, this.#notes, this.#errored, fix)
  }
}

function fixFor(attempts: readonly DetectAttempt[]): string {
  return attempts.some(({ result }) => result === 'errored')
    ? 'A buildpack failed by itself: run again with --verbose to see all that it said.'
    : 'Check that you are building the right directory (--path), or name buildpacks with --buildpack.'
}

/** A line for each buildpack that did not pass, then what stood between those that did. */
function whyOf(attempts: readonly DetectAttempt[], notes: readonly string[]): string {
  if (attempts.length === 0) return 'the order names no buildpacks for this build'
  const told = attempts.filter(({ result }) => result !== 'passed')
  const width = Math.max(0, ...told.map(({ id, version }) => `${id}@${version}`.length))
  const lines = told.map(
    attempt => `${`${attempt.id}@${attempt.version}`.padEnd(width)}  ${wordsOf(attempt)}`,
  )
  return [
    ...(lines.length > 0 ? ['these did not find what they look for:', ...lines] : []),
    ...(notes.length > 0 ? ['these do not fit together:', ...notes] : []),
  ].join('\n')
}

function wordsOf({ result, words, wantedFiles }: DetectAttempt): string {
  const said = words || (wantedFiles.length > 0 ? `looks for ${wantedFiles.join(', ')}` : 'said nothing')
  return result === 'errored' ? `failed: ${said}` : said
}
