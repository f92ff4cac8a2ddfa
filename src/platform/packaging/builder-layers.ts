import {
  type BuilderConfig,
  buildVariableFiles,
  fullName,
  type Order,
  type OrderDocument,
  printOrder,
  printRun,
  printStack,
  printSystem,
} from '#cnb'
import { NORMAL_TIME, type Owner } from '#lifecycle'
import { byBytes, packTar, type TarEntry } from '#std'
import type { BuilderLifecycle } from './builder-lifecycle.ts'
import type { PackageModule } from './module.ts'
import { builderWrong } from './problems.ts'
import type { NamedTar } from './put-layers.ts'
import { diffIdOf } from './root-module.ts'

/** The directories that builds and lifecycles expect; the first two are the builder's user's. */
const OWNED = ['/workspace', '/layers']
const ROOTS = [
  '/cnb',
  '/cnb/buildpacks',
  '/cnb/extensions',
  '/platform',
  '/platform/env',
  '/cnb/build-config',
  '/cnb/build-config/env',
]

/** The layer of directories. */
export function directoriesTar(owner: Owner): Promise<NamedTar> {
  const entries = [...OWNED.map(name => directory(name, owner)), ...ROOTS.map(name => directory(name))]
  return named('directories', () => entries)
}

/** The layer of the lifecycle, with the link that old platforms look for. */
export function lifecycleTar({ descriptor, entries }: BuilderLifecycle): Promise<NamedTar> {
  return named(`lifecycle ${descriptor.version}`, async function* () {
    yield directory('/cnb/lifecycle')
    yield* entries()
    yield { ...directory('/lifecycle'), type: 'symlink', mode: 0o644, linkname: '/cnb/lifecycle' }
  })
}

/** The layers of the documents, of the variables of builds, and the one for variables of a single build, which is empty. */
export async function builderDocuments(config: BuilderConfig, order: OrderDocument): Promise<NamedTar[]> {
  const { system, runImages } = config
  const documents: [string, string][] = [['order.toml', printOrder(order)]]
  if (system.pre.length + system.post.length > 0) documents.push(['system.toml', printSystem(system)])
  documents.push(['stack.toml', printStack(runImages[0])], ['run.toml', printRun(runImages)])
  const tars = documents.map(([name, text]) => named(name, () => [file(`/cnb/${name}`, text)]))
  const variables = [...buildVariableFiles(config.buildVariables)].toSorted(([a], [b]) => byBytes(a, b))
  if (variables.length > 0) {
    const files = variables.map(([name, value]) => file(`/cnb/build-config/env/${name}`, value))
    tars.push(named('variables of builds', () => files))
  }
  tars.push(named('variables', () => []))
  return Promise.all(tars)
}

/** The order with the version of every entry; one that is left out must not be open to doubt. Throws a `Problem` (`BUILDER_CONFIG_INVALID`). */
export function resolveOrder(
  builder: string,
  order: Order,
  modules: readonly PackageModule[],
  kind: PackageModule['kind'],
): Order {
  return order.map(group =>
    group.map(entry => {
      const versions = modules.filter(({ info }) => info.id === entry.id).map(({ info }) => info.version)
      const [only, another] = versions
      if (entry.version === undefined && another !== undefined)
        throw builderWrong(
          builder,
          `its order names ${entry.id} without a version, and it has ${versions.join(' and ')}`,
          'Add version = "…" there.',
        )
      const version = entry.version ?? only
      if (version === undefined || !versions.includes(version))
        throw builderWrong(
          builder,
          `its order names the ${kind} ${fullName(entry)}, which it does not have`,
          `Add it to [[${kind}s]], or correct the order.`,
        )
      // Extensions are always optional; saying so again would only confuse.
      return { ...entry, version, optional: kind === 'buildpack' && entry.optional }
    }),
  )
}

async function named(
  what: string,
  entries: () => Iterable<TarEntry> | AsyncIterable<TarEntry>,
): Promise<NamedTar> {
  const open = () => packTar(entries())
  return { what, tar: { diffId: await diffIdOf(open()), open } }
}

function directory(name: string, { uid, gid }: Owner = { uid: 0, gid: 0 }): TarEntry {
  return { name, type: 'directory', mode: 0o755, uid, gid, mtime: NORMAL_TIME, size: 0 }
}

function file(name: string, text: string): TarEntry {
  const content = Buffer.from(text)
  return { ...directory(name), type: 'file', mode: 0o644, size: content.length, content }
}
