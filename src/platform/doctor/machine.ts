import { execFile } from 'node:child_process'
import { mkdir, statfs } from 'node:fs/promises'
import { release } from 'node:os'
import { promisify } from 'node:util'
import { isSystemError } from '#std'
import { notLinux } from '../problems.ts'
import type { DoctorOptions } from './doctor.ts'
import { type Finding, findingOf, good, missing, weak } from './finding.ts'

const OLDEST_NODE = [20, 19] as const
const ROOM = { build: 3 * 2 ** 30, least: 2 ** 29 }

/** Node.js, the operating system, room on disk, and the programs that some builds use. */
export async function* checkMachine({ home, environment }: DoctorOptions): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node)
  yield process.platform === 'linux'
    ? good('Linux', `${release()} on ${process.arch}`)
    : findingOf('Linux', notLinux(process.platform))
  yield await checkHome(home)
  yield await checkGit(environment)
  yield await checkGo(environment)
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const fits = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  return fits
    ? good('Node.js', version)
    : missing(
        'Node.js',
        `${version}, and 20.19 is the oldest that will do`,
        'Install Node.js 20.19 or newer.',
      )
}

async function checkHome(home: string): Promise<Finding> {
  const name = 'state directory'
  try {
    await mkdir(home, { recursive: true })
    const { bavail, bsize } = await statfs(home)
    const free = bavail * bsize
    const found = `${home}, with ${(free / 1e9).toFixed(1)} GB free`
    const fix =
      'Free some room (`slipway gc` removes what no image needs), or set SLIPWAY_HOME to a place that has more.'
    if (free < ROOM.least) return missing(name, found, fix)
    return free < ROOM.build
      ? weak(name, `${found}; a first build of a Java app takes about 2 GB`, fix)
      : good(name, found)
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST')) throw error
    return missing(
      name,
      `${home} cannot be written (${error.code})`,
      'Set SLIPWAY_HOME to a directory of your own.',
    )
  }
}

async function checkGit(environment: DoctorOptions['environment']): Promise<Finding> {
  const version = await answer('git', ['--version'], environment)
  if (version !== undefined) return good('git', version.replace(/^git version /, ''))
  return weak(
    'git',
    'not in PATH; images get 1980-01-01 as their time of creation, not that of the last commit',
    'Install git, or set SOURCE_DATE_EPOCH.',
  )
}

async function checkGo(environment: DoctorOptions['environment']): Promise<Finding> {
  const version = await answer('go', ['version'], environment)
  return good(
    'Go',
    version?.replace(/^go version /, '') ?? 'not in PATH; fetched if a launcher has to be built',
  )
}

/** The first line that a program says, or undefined where it is not there or fails. */
async function answer(
  program: string,
  words: readonly string[],
  { PATH, HOME }: DoctorOptions['environment'],
): Promise<string | undefined> {
  try {
    const env = { PATH, HOME, LC_ALL: 'C', GOTOOLCHAIN: 'local' }
    const { stdout } = await promisify(execFile)(program, words, { env, timeout: 10_000, cwd: '/' })
    return stdout.split('\n')[0]?.trim()
  } catch {
    return undefined
  }
}
