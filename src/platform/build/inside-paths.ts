import { isSystemError, Problem } from '#std'
import { madeUnusable } from '../problems.ts'

/**
 * A failure of a build in the words of those who wrote its buildpacks: `/workspace/x` and `/layers/x`, not where these happen to lie on this machine
 * and are gone when somebody looks. What cannot be read there became so by a buildpack (`BUILDPACK_LEFT_UNREADABLE`, exit code 62).
 */
export function withInsidePaths(error: unknown, directory: string): unknown {
  const inside = (text: string) => text.replaceAll(`${directory}/`, '/')
  if (
    isSystemError(error, 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'EISDIR') &&
    error.path?.startsWith(`${directory}/`)
  )
    return madeUnusable(inside(error.path), new Error(inside(error.message), { cause: error }))
  if (!(error instanceof Problem) || !`${error.what}${error.why}${error.fix}`.includes(`${directory}/`))
    return error
  const { code, what, why, fix, exitCode } = error
  return new Problem(code, { what: inside(what), why: inside(why), fix: inside(fix), exitCode, cause: error })
}
