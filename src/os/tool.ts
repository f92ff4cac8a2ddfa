import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hexOf } from '#std'
import { alone } from './alone.ts'
import { type AssemblyContext, assembleBase, baseKey } from './assemble.ts'
import type { BaseLock } from './lock.ts'
import { isDirectory, writeOnce } from './open-base.ts'
import { unpackRefused } from './problems.ts'
import type { Recipe } from './recipe.ts'

/** A program that was unpacked and not installed: `LOADER --library-path PATH BINARY` runs it. */
export interface Tool {
  readonly loader: string
  readonly libraryPath: string
  readonly binary: string
}

const TRIPLETS = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const
const LOADERS = { amd64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' } as const

/**
 * Fetches a program and all that it is linked with, from the packages that a lock names, and unpacks it below
 * `<home>/tools`. The second time it is only found. `program` is its path, such as `usr/bin/bwrap`.
 */
export async function fetchTool(
  recipe: Recipe,
  lock: BaseLock,
  program: string,
  context: AssemblyContext,
): Promise<Tool> {
  const title = recipe.name.replace(/^.*:/, '')
  const place = join(context.home, 'tools', `${title}-${hexOf(baseKey(recipe, lock))}`)
  if (!(await isDirectory(place))) {
    await alone(context.home, basename(place), async () => {
      if (await isDirectory(place)) return
      await using made = await assembleBase(recipe, lock, context)
      if (made.tree.get(program)?.type !== 'file')
        throw unpackRefused(recipe.name, `there is no /${program} in it`)
      await writeOnce(made, place, context)
    })
  }
  const libraries = join(place, 'usr/lib', TRIPLETS[lock.arch])
  const loader = LOADERS[lock.arch]
  const [found] = (await readdir(libraries)).filter(name => name === loader)
  if (!found) throw unpackRefused(recipe.name, `there is no ${loader} in it`)
  return { loader: join(libraries, found), libraryPath: libraries, binary: join(place, program) }
}
