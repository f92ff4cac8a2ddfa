import { posix } from 'node:path'
import { isInside } from '#std'
import { programMissing, programNotExecutable } from '../problems.ts'
import { findInRoot } from '../roots/root-files.ts'

/**
 * Checks that a root has a program, looked up as execvp(3) does, so that its reader is told in our words. Throws a `Problem`
 * (`RUN_PROGRAM_MISSING` with exit code 127, `RUN_PROGRAM_NOT_EXECUTABLE` with 126, as shells and container engines have it). What is mounted over the
 * root, at `hidden`, is not looked into.
 */
export async function requireProgram(
  lower: readonly string[],
  program: string,
  { path, cwd, hidden }: { readonly path: string; readonly cwd: string; readonly hidden: readonly string[] },
): Promise<void> {
  const places = program.includes('/')
    ? [posix.resolve(cwd, program)]
    : path.split(':').map(directory => posix.resolve(cwd, directory, program))
  let unfit: string | undefined
  for (const place of places) {
    if (hidden.some(mount => isInside(mount, place))) return
    const found = await findInRoot(lower, place)
    if (!found) continue
    if (found.stats.isFile() && (found.stats.mode & 0o111) !== 0) return
    unfit ??= found.stats.isFile() ? `${place} is not executable` : `${place} is not a file`
  }
  throw unfit === undefined ? programMissing(program) : programNotExecutable(program, unfit)
}
