import { opendir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { byBytes } from '#std'

/** A file that a family of apps is recognised by, found below the directory that was given. */
export interface NearestMiss {
  /** `pom.xml` */
  readonly file: string
  /** Relative directory it is in, `./api`. */
  readonly directory: string
}

/** Files that say what kind of app a directory holds; the first pattern that matches names it. */
const TELLING =
  /^(?:pom\.xml|Procfile|package\.json|go\.mod|requirements\.txt|pyproject\.toml|Gemfile|composer\.json|build\.gradle(?:\.kts)?|.+\.(?:jar|war))$/
const DEPTH = 3
const MOST = 200

/**
 * Looks up to three levels below a directory (at most 200 directories, links not followed, hidden and dependency
 * directories left out) for files that would have been recognised at its top. Nearest first, then by name.
 */
export async function nearestMisses(directory: string): Promise<NearestMiss[]> {
  const found: NearestMiss[] = []
  let level = [directory]
  let seen = 0
  for (let depth = 0; depth <= DEPTH && level.length > 0; depth++) {
    const next: string[] = []
    for (const place of level.sort(byBytes)) {
      if (++seen > MOST) return found
      for (const entry of await entriesOf(place)) {
        if (entry.isDirectory() && !/^(?:\.|node_modules$|target$|vendor$)/.test(entry.name))
          next.push(join(place, entry.name))
        if (depth > 0 && entry.isFile() && TELLING.test(entry.name)) {
          found.push({ file: entry.name, directory: `./${relative(directory, place)}` })
        }
      }
    }
    level = next
  }
  return found
}

async function entriesOf(directory: string) {
  const entries = []
  try {
    for await (const entry of await opendir(directory)) entries.push(entry)
  } catch {
    // A directory that cannot be read is no hint.
  }
  return entries.sort((a, b) => byBytes(a.name, b.name))
}
