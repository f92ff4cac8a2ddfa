import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Problem } from '#std'

/** 1980-01-01T00:00:01Z in Unix seconds, the time that buildpack-built images carry when none is known. */
export const NORMAL_TIME = 315532801

/** Where the creation time of an image came from. */
export interface Created {
  /** Unix seconds. */
  readonly seconds: number
  readonly because: 'SOURCE_DATE_EPOCH' | 'last commit' | 'no commit'
}

/**
 * The creation time of an image: SOURCE_DATE_EPOCH (reproducible-builds.org specification), else the time of the
 * last commit that touched the app's directory, else the normal time. Never the clock.
 * Throws a `Problem` (`SOURCE_DATE_EPOCH_INVALID`).
 */
export async function createdTime(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Created> {
  const given = sourceDateEpoch(environment)
  if (given !== undefined) return { seconds: given, because: 'SOURCE_DATE_EPOCH' }
  const seconds = await lastCommit(directory, environment)
  return seconds === undefined
    ? { seconds: NORMAL_TIME, because: 'no commit' }
    : { seconds, because: 'last commit' }
}

/** Unix seconds of `--creation-time`: a number of them, or `now` by the clock that is handed in. Throws a `Problem` (`CREATION_TIME_INVALID`). */
export function parseCreationTime(text: string | undefined, now: () => number): number | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'now') return Math.floor(now() / 1000)
  if (/^\d{1,11}$/.test(text)) return Number(text)
  throw new Problem('CREATION_TIME_INVALID', {
    what: 'Cannot tell when the image is to have been created',
    why: `--creation-time is ${JSON.stringify(text.slice(0, 40))}, neither Unix seconds nor now`,
    fix: 'Give whole seconds since 1970, such as 1641013200, or now.',
    exitCode: 2,
  })
}

/** Unix seconds of SOURCE_DATE_EPOCH, if it is set. Throws a `Problem` (`SOURCE_DATE_EPOCH_INVALID`). */
export function sourceDateEpoch({
  SOURCE_DATE_EPOCH: given,
}: Readonly<Record<string, string | undefined>>): number | undefined {
  if (given === undefined || given === '') return undefined
  if (!/^\d{1,11}$/.test(given)) throw invalidEpoch(given)
  return Number(given)
}

/**
 * Settings that a repository could otherwise use to make git start programs of its choice. With them one of another user is as good as any, and has to be: who
 * owns a checkout is not part of the source.
 */
const TAME = [
  'core.fsmonitor=false',
  'log.showSignature=false',
  'core.hooksPath=/dev/null',
  'safe.directory=*',
].flatMap(setting => ['-c', setting])

/** A repository may be partial and say how the rest is fetched, by a program of its choice too: nothing is fetched, by no protocol. */
const ALONE = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_OPTIONAL_LOCKS: '0' }

async function lastCommit(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  if (!isBelowRepository(directory)) return undefined
  const arguments_ = [...TAME, '--no-pager', '-C', directory, 'log', '-1', '--format=%ct', '--', '.']
  const env = { PATH: environment.PATH, HOME: environment.HOME, LC_ALL: 'C', ...ALONE }
  try {
    const { stdout } = await promisify(execFile)('git', arguments_, { env, timeout: PATIENCE })
    const text = stdout.trim()
    return /^\d{1,11}$/.test(text) ? Number(text) : undefined
  } catch (error) {
    if (error instanceof Error && 'killed' in error && error.killed === true) throw tooSlow(directory)
    // No git, or nothing that it takes for a repository with commits: then there is no commit time to know.
    return undefined
  }
}

/** Milliseconds that git may take to find the last commit. */
const PATIENCE = 60_000

function tooSlow(directory: string): Problem {
  return new Problem('COMMIT_TIME_UNKNOWN', {
    what: 'Cannot tell when the image was created',
    why: `git took more than a minute to find the last commit of ${directory}`,
    fix: 'Set SOURCE_DATE_EPOCH to the Unix seconds that the image is to carry.',
  })
}

/** Looks for `.git` as git does, up to the root; starting git only to hear that there is no repository takes longer. */
function isBelowRepository(directory: string): boolean {
  for (let place = directory; ; place = dirname(place)) {
    if (existsSync(join(place, '.git'))) return true
    if (place === dirname(place)) return false
  }
}

function invalidEpoch(given: string): Problem {
  return new Problem('SOURCE_DATE_EPOCH_INVALID', {
    what: 'Cannot tell when the image was created',
    why: `SOURCE_DATE_EPOCH is ${JSON.stringify(given.slice(0, 40))}, not a whole number of seconds`,
    fix: 'Set it to Unix seconds (for example `git log -1 --format=%ct`), or unset it.',
    exitCode: 3,
  })
}
