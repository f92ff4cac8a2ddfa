import { escapeId, fullName } from '#cnb'
import { NORMAL_TIME } from '#lifecycle'
import { packTar, readTar, type TarEntry } from '#std'
import type { ModuleTar, PackageModule } from './module.ts'
import { moduleInvalid } from './problems.ts'
import { diffIdOf } from './root-module.ts'

/** The tar of a module alone: where several share a layer, what is the module's in it; others as they are. */
export async function ownTar(module: PackageModule, all: readonly PackageModule[]): Promise<ModuleTar> {
  if (all.every(each => each === module || each.tar !== module.tar)) return module.tar
  const open = () => packTar(entriesOf(module))
  return { diffId: await diffIdOf(open()), open }
}

/**
 * One tar of several modules, in their order, each directory of an id once: what pack calls flattened. What is in a layer is written as it was there.
 */
export async function sharedTar(modules: readonly PackageModule[]): Promise<ModuleTar> {
  const open = () => packTar(joined(modules))
  return { diffId: await diffIdOf(open()), open }
}

async function* joined(modules: readonly PackageModule[]): AsyncGenerator<TarEntry> {
  const parents = new Set<string>()
  for (const module of modules) {
    const parent = parentOf(module)
    for await (const entry of entriesOf(module)) {
      if (entry.name.toString() === parent) {
        if (parents.has(parent)) continue
        parents.add(parent)
      }
      yield entry
    }
  }
}

function parentOf({ kind, info }: PackageModule): string {
  return `/cnb/${kind}s/${escapeId(info.id)}`
}

/** The entries of one module: its two directories, then what is below them. */
async function* entriesOf(module: PackageModule): AsyncGenerator<TarEntry & { readonly name: Buffer }> {
  const parent = parentOf(module)
  const base = `${parent}/${module.info.version}`
  let found = false
  for await (const { offset: _, content, ...entry } of readTar(module.tar.open())) {
    const name = `/${entry.name
      .toString('latin1')
      .replace(/^(?:\.?\/)+/, '')
      .replace(/\/+$/, '')}`
    if (name === parent && !found) continue
    if (name !== base && !name.startsWith(`${base}/`)) continue
    if (name.split('/').includes('..'))
      throw moduleInvalid(fullName(module.info), `${JSON.stringify(name)} in its layer could lead elsewhere`)
    if (!found) yield directory(parent)
    if (!found && name !== base) yield directory(base)
    found = true
    const renamed = Buffer.from(name, 'latin1')
    yield { ...entry, name: renamed, ...(entry.size > 0 && { content: () => content }) }
  }
  if (!found) throw moduleInvalid(fullName(module.info), 'the layer that is to hold it does not')
}

function directory(name: string) {
  return {
    name: Buffer.from(name),
    type: 'directory' as const,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: NORMAL_TIME,
    size: 0,
  }
}
