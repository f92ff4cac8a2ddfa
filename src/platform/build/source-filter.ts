import ignore from 'ignore'
import { APP_LOCK } from './app-lock.ts'

/** Which files of a source directory are part of the app (project descriptor, `[io.buildpacks] include, exclude`). */
export interface SourcePatterns {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** What is never part of an app unless `include` names it: it changes without the app changing. In any case of its letters, as gitignore patterns here are. */
const NEVER = new RegExp(`^(?:\\.git|${APP_LOCK.replaceAll('.', '\\.')})(?:/|$)`, 'i')

/**
 * Makes the test for what stays out of a build. Patterns are those of gitignore(5), matched on paths relative to the app's
 * directory. With `include`, only files that match it are taken; directories are then entered whatever their name.
 */
export function sourceFilter({
  include,
  exclude,
}: SourcePatterns): (path: Buffer, directory: boolean) => boolean {
  const left = exclude && ignore().add([...exclude])
  const taken = include && ignore().add([...include])
  return (path, directory) => {
    const name = `${path.toString('utf8')}${directory ? '/' : ''}`
    if (taken) return !directory && !taken.ignores(name)
    return NEVER.test(name) || left?.ignores(name) === true
  }
}
