import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type BuildpackDescriptor,
  type OrderDocument,
  type OrderEntry,
  type Project,
  type ProjectBuildpack,
  parseBuildpack,
  parseBuildpackId,
  parseOrder,
  takesPart,
} from '#cnb'
import type { BuildpackSource, FoundBuildpack } from '#lifecycle'
import { printToml } from '#std'
import { buildpackDirectory, buildpackList, buildpackSources, oneBuildpack } from './buildpack-directory.ts'
import { buildpackUnknown } from './problems.ts'
import { shipped } from './shipped.ts'

/** Which buildpacks a build tries, in which order, and where they are. */
export interface ChosenBuildpacks {
  readonly order: OrderDocument
  readonly source: BuildpackSource
}

/** What the choice is made from. */
export interface BuildpackChoice {
  /** What the person named: ids, `id@version`, directories, `from=builder`. Replaces everything else. */
  readonly named: readonly string[]
  readonly workingDirectory: string
  readonly project: Project
  /** Buildpacks of the project for other execution environments are left out. */
  readonly execEnv: string
  /** The directory of the project descriptor; paths in it are relative to that. */
  readonly projectDirectory: string
  /** A directory of this build alone, for buildpacks that the descriptor carries as scripts. */
  readonly scratch: string
}

/**
 * Chooses as pack does: what the person named, else the group of the project descriptor, else the order of slipway's own buildpacks with the
 * descriptor's `pre` and `post` around each group. Throws a `Problem` (`BUILDPACK_UNKNOWN`, `BUILDPACK_DIRECTORY_INVALID`).
 */
export async function chooseBuildpacks(choice: BuildpackChoice): Promise<ChosenBuildpacks> {
  const directory = shipped('dist/buildpacks')
  const own = buildpackDirectory(directory)
  const orderFile = join(directory, 'order.toml')
  const builtIn = parseOrder(await readFile(orderFile, 'utf8'), orderFile)
  const found: FoundBuildpack[] = []

  const entryOf = ({ id, version }: BuildpackDescriptor): OrderEntry => ({
    id,
    version,
    optional: false,
    execEnv: [],
  })
  const withDirectory = async (path: string) => {
    const buildpack = await oneBuildpack(path)
    found.push(buildpack)
    return entryOf(buildpack.descriptor)
  }
  const byId = async (text: string): Promise<OrderEntry | undefined> => {
    const [name = '', asked] = text.split('@')
    const id = name.replace(/^urn:cnb:builder:/, '')
    if (!/^[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/.test(id)) return undefined
    const version = asked ?? (await own.onlyVersion(id))
    const buildpack = version === undefined ? undefined : await own.find(id, version)
    return buildpack && entryOf(buildpack.descriptor)
  }
  const located = async (text: string, base: string): Promise<readonly OrderEntry[]> => {
    const path = text.startsWith('file://') ? new URL(text).pathname : resolve(base, text)
    const known =
      text.startsWith('.') || text.startsWith('/') || text.startsWith('file:') ? undefined : await byId(text)
    if (known) return [known]
    const looksLikePath = /^[./]|^file:/.test(text) || (await isBuildpack(path))
    if (looksLikePath) return [await withDirectory(path)]
    throw buildpackUnknown(text, [...new Set(builtIn.order.flat().map(each => each.id))])
  }
  /** Every way that a list can be read; more than one only through `from=builder`, which stands for the groups of the builder. */
  const groupsOf = async (texts: readonly string[], base: string): Promise<OrderEntry[][]> => {
    let groups: OrderEntry[][] = [[]]
    for (const text of texts) {
      const parts =
        text === 'from=builder' ? builtIn.order.map(group => [...group]) : [[...(await located(text, base))]]
      groups = groups.flatMap(group => parts.map(part => [...group, ...part]))
    }
    return groups
  }
  const fromProject = async (entries: readonly ProjectBuildpack[]): Promise<OrderEntry[]> => {
    const all: OrderEntry[] = []
    for (const entry of entries.filter(each => takesPart(each.execEnv, choice.execEnv))) {
      if (entry.script) {
        const buildpack = await inlineBuildpack(entry, join(choice.scratch, String(found.length)))
        found.push(buildpack)
        all.push(entryOf(buildpack.descriptor))
      } else {
        const text =
          entry.uri ?? (entry.version === undefined ? `${entry.id}` : `${entry.id}@${entry.version}`)
        all.push(...(await located(text, choice.projectDirectory)))
      }
    }
    return all
  }

  const { project, named, workingDirectory } = choice
  let order: OrderEntry[][]
  if (named.length > 0) order = await groupsOf(named, workingDirectory)
  else if (project.buildpacks.length > 0) order = [await fromProject(project.buildpacks)]
  else {
    const pre = await fromProject(project.pre)
    const post = await fromProject(project.post)
    order = builtIn.order.map(group => [...pre, ...group, ...post])
  }
  return { order: { order, extensions: [] }, source: buildpackSources([buildpackList(found), own]) }
}

async function isBuildpack(path: string): Promise<boolean> {
  return readFile(join(path, 'buildpack.toml')).then(
    () => true,
    () => false,
  )
}

/** A script in a project descriptor as a buildpack (project descriptor specification, `[io.buildpacks.group.script]`). */
async function inlineBuildpack(
  { id, version, script }: ProjectBuildpack,
  host: string,
): Promise<FoundBuildpack> {
  const toml = printToml({
    api: script?.api ?? '0.10',
    buildpack: { id: parseBuildpackId(id ?? '', 'project.toml'), version: version ?? '0.0.0' },
    targets: [{ os: 'linux' }],
  })
  await mkdir(join(host, 'bin'), { recursive: true })
  await writeFile(join(host, 'buildpack.toml'), toml)
  await writeFile(join(host, 'bin/detect'), '#!/bin/sh\nexit 0\n')
  await writeFile(join(host, 'bin/build'), `#!${script?.shell ?? '/bin/sh'}\n${script?.inline ?? ''}\n`)
  for (const name of ['detect', 'build']) await chmod(join(host, 'bin', name), 0o755)
  const descriptor = parseBuildpack(toml, `the script of ${id}`)
  return {
    descriptor,
    root: { host, inside: `/cnb/buildpacks/inline/${descriptor.version}/${host.split('/').at(-1)}` },
  }
}
