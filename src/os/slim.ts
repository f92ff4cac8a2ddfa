import type { Keep } from './decode.ts'
import type { Recipe } from './recipe.ts'

const NEVER =
  /^usr\/share\/(?:man|info|lintian|doc-base|bug|menu|locale|gdb|linda|gcc|binfmts|bash-completion|zsh)(?:\/|$)/
const DOC = /^usr\/share\/doc\/(?:[^/]+$|[^/]+\/copyright$)/

/** What of a package goes into a base: all but manuals, translations and documentation; of some packages only named paths. */
export function keepOf(recipe: Recipe, name: string): Keep {
  const dropped = recipe.drop.map(globOf)
  const kept = keptOf(recipe, name)
  return path => kept(path) && !dropped.some(pattern => pattern.test(path))
}

/** What decides which paths of a package `keepOf` keeps, as data. */
export function keptPaths({ drop, only, slim }: Recipe, name: string): unknown {
  return { drop, slim, only: Object.hasOwn(only, name) ? only[name] : null }
}

function keptOf(recipe: Recipe, name: string): Keep {
  const only = Object.hasOwn(recipe.only, name) ? recipe.only[name] : undefined
  if (only) return path => only.some(start => path.startsWith(start) || start.startsWith(`${path}/`))
  if (!recipe.slim) return () => true
  return path => !NEVER.test(path) && (!path.startsWith('usr/share/doc/') || DOC.test(path))
}

function globOf(glob: string): RegExp {
  const escaped = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')
  return new RegExp(`^${escaped}(?:/|$)`)
}
