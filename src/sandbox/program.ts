import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { readIfExists, replaceFile } from '#std'

/**
 * The bubblewrap program: a file to execute, or one that was unpacked from packages and is executed by its own dynamic loader
 * (`LOADER --library-path PATH BINARY`), so that nothing has to be installed.
 */
export type BwrapProgram =
  | { readonly path: string }
  | { readonly loader: string; readonly libraryPath: string; readonly binary: string }

/** A bubblewrap that answers, and what it can do. */
export interface Bwrap {
  readonly program: BwrapProgram
  readonly version: string
  /** Has `--overlay-src` and `--tmp-overlay` (0.11 and newer). */
  readonly overlays: boolean
}

/** Why the bubblewrap of PATH is of no use, in words. */
export type Unusable = { readonly unusable: string }

/** The oldest version that has every option needed (`--disable-userns`). */
const OLDEST = [0, 8] as const
const OVERLAYS = [0, 11] as const

/**
 * Finds bubblewrap in PATH. A set-uid copy does not count: it works by privilege, and refuses options that are needed here. `memory` is a
 * directory for what programs have said of themselves.
 */
export async function findBwrap(path: string | undefined, memory: string): Promise<Bwrap | Unusable> {
  for (const directory of (path ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue
    const candidate = join(directory, 'bwrap')
    try {
      await access(candidate, constants.X_OK)
      if ((await stat(candidate)).mode & 0o6000) return { unusable: `${candidate} is set-uid` }
    } catch {
      continue
    }
    return await describeBwrap({ path: candidate }, memory)
  }
  return { unusable: 'bwrap is not in PATH' }
}

/** Asks a bubblewrap for its version; not again as long as its files stay what they are. */
export async function describeBwrap(program: BwrapProgram, memory: string): Promise<Bwrap | Unusable> {
  const name = 'path' in program ? program.path : program.binary
  const record = join(memory, 'bwrap.version')
  const identity = await identityOf(program)
  const [known, said] = (await readIfExists(record))?.split('\n') ?? []
  let text = known === identity ? said : undefined
  if (text === undefined) {
    const [file, ...words] = commandOf(program)
    try {
      const { stdout } = await promisify(execFile)(file, [...words, '--version'], {
        env: {},
        timeout: 10_000,
      })
      text = stdout.trim()
    } catch (error) {
      return { unusable: `${name} does not run: ${error instanceof Error ? error.message : String(error)}` }
    }
    // Only a memory: where it cannot be written, the program is asked again.
    await replaceFile(record, `${identity}\n${text.slice(0, 100).split('\n')[0]}`).catch(() => {})
  }
  const version = /^bubblewrap (\d+)\.(\d+)/.exec(text)
  if (!version) return { unusable: `${name} does not say that it is bubblewrap` }
  const found = [Number(version[1]), Number(version[2])] as const
  const words_ = text.slice('bubblewrap '.length)
  if (!reaches(found, OLDEST))
    return { unusable: `${name} is version ${words_}, and 0.8 is the oldest that will do` }
  return { program, version: words_, overlays: reaches(found, OVERLAYS) }
}

/** Paths and what stat says of the files. */
async function identityOf(program: BwrapProgram): Promise<string> {
  const files = 'path' in program ? [program.path] : [program.loader, program.binary]
  const found = await Promise.all(
    files.map(async file => {
      const stats = await stat(file, { bigint: true }).catch(() => undefined)
      return [file, stats?.dev, stats?.ino, stats?.size, stats?.mtimeNs, stats?.ctimeNs]
    }),
  )
  return JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

/** The words that start a bubblewrap. */
export function commandOf(program: BwrapProgram): [file: string, ...words: string[]] {
  return 'path' in program
    ? [program.path]
    : [program.loader, '--library-path', program.libraryPath, program.binary]
}

function reaches(found: readonly [number, number], wanted: readonly [number, number]): boolean {
  return found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1])
}
