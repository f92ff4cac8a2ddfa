import { readFile, stat } from 'node:fs/promises'
import { isSystemError, Problem } from '#std'
import { inputUnreadable } from './problems.ts'

/** No file that a person writes is larger; more would only fill the memory. */
const MOST = 16 << 20

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

/**
 * The text of a file that lies beside an app, or `undefined` where there is none. Whatever else has its name is not opened: a FIFO would be
 * waited for without end. Throws a `Problem` (`INPUT_UNREADABLE`).
 */
export async function readInput(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (!found.isFile())
      throw inputUnreadable(path, `it is ${found.isDirectory() ? 'a directory' : 'no plain file'}`)
    if (found.size > MOST) throw inputUnreadable(path, `it is larger than ${MOST >> 20} MiB`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    if (isSystemError(error, 'EACCES', 'EPERM', 'ELOOP'))
      throw inputUnreadable(path, 'this user may not read it', error)
    throw error
  }
}

/** What a person wrote and `parse` does not understand is a wrong input, whatever else the format is used for. */
export function parseInput<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof Problem) || error.exitCode !== 1) throw error
    throw new Problem(error.code, {
      what: error.what,
      why: error.why,
      fix: error.fix,
      cause: error.cause,
      exitCode: INVALID_INPUT,
    })
  }
}
