import type { Keep } from './decode.ts'
import type { Recipe } from './recipe.ts'

const NEVER =
  /^usr\/share\/(?:man|info|lintian|doc-base|bug|menu|locale|gdb|linda|gcc|binfmts|bash-completion|zsh)(?:\/|$)/
const DOC = /^usr\/share\/doc\/(?:[^/]+$|[^/]+\/copyright$)/

/** What of a package goes into a base: all but manuals, translations and documentation; of some packages only named paths. */
export function keepOf(recipe: Recipe, name: string): Keep {
  const only = recipe.only[name]
  if (only) return path => only.some(start => path.startsWith(start) || start.startsWith(`${path}/`))
  if (!recipe.slim) return () => true
  return path => !NEVER.test(path) && (!path.startsWith('usr/share/doc/') || DOC.test(path))
}
