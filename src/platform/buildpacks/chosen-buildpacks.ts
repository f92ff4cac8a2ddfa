import { join, resolve } from 'node:path'
import {
  type Order,
  type OrderDocument,
  type OrderEntry,
  type Project,
  type ProjectBuildpack,
  parseBuildpackId,
  parseBuildpackLocator,
  type SystemBuildpacks,
  takesPart,
  withSystem,
} from '#cnb'
import type { BuildpackSource } from '#lifecycle'
import type { BuildpackShelf } from '../builder/builder.ts'
import { buildpackUnknown } from '../problems.ts'
import { parseInput } from '../read-input.ts'
import { buildpackSources } from './directory.ts'
import { type BuildpackFinder, type BuildpackPlace, exists, isFile } from './finder.ts'
import { inlineBuildpack } from './inline-buildpacks.ts'

/** Which buildpacks a build tries, in which order, and where they are. */
export interface ChosenBuildpacks {
  readonly order: OrderDocument
  readonly source: BuildpackSource
}

/** What is there before anybody chooses. */
export interface BuilderOrder {
  readonly order: OrderDocument
  readonly system: SystemBuildpacks
  readonly buildpacks: BuildpackShelf
}

/** What the choice is made from. */
export interface BuildpackChoice {
  /** What the person named, in the forms that docs/foreign-buildpacks.md lists. Replaces everything else. */
  readonly named: readonly string[]
  /** Put in front of and behind every group of the builder, instead of those of the project. */
  readonly pre: readonly string[]
  readonly post: readonly string[]
  readonly workingDirectory: string
  readonly project: Project
  /** Buildpacks of the project for other execution environments are left out. */
  readonly execEnv: string
  /** The directory of the project descriptor; paths in it are relative to that. */
  readonly projectDirectory: string
  readonly builder: BuilderOrder
  /** Looked up after those of the builder: slipway's own, where the builder is somebody else's. */
  readonly fallback?: BuildpackShelf
  readonly finder: BuildpackFinder
  /** True for a name of an image that the store has. */
  readonly isImage: (text: string) => Promise<boolean>
  /** Leave image extensions out. */
  readonly skipExtensions: boolean
  /** A directory of this build alone, for buildpacks that the descriptor carries as scripts. */
  readonly scratch: string
}

/**
 * Chooses as pack does: what the person named, else the group of the project descriptor, else the order of the builder with `pre` and `post` around each
 * group. Throws a `Problem` (`BUILDPACK_UNKNOWN`, or what opening a buildpack throws).
 */
export async function chooseBuildpacks(choice: BuildpackChoice): Promise<ChosenBuildpacks> {
  const { project, builder } = choice
  const chosen = new Chosen(choice)
  let order: Order
  if (choice.named.length > 0) order = await chosen.groupsOf(choice.named, choice.workingDirectory)
  else if (project.buildpacks.length > 0) order = await chosen.groupsOfProject(project.buildpacks)
  else {
    const around = async (given: readonly string[], own: readonly ProjectBuildpack[]) => {
      const groups = await (given.length > 0
        ? chosen.groupsOf(given, choice.workingDirectory)
        : chosen.groupsOfProject(own))
      return groups[0] ?? []
    }
    const pre = await around(choice.pre, project.pre)
    const post = await around(choice.post, project.post)
    order = builder.order.order.map(group => [...pre, ...group, ...post])
  }
  const extensions = choice.skipExtensions ? [] : builder.order.extensions
  const source = buildpackSources([
    ...chosen.sources,
    builder.buildpacks,
    ...(choice.fallback ? [choice.fallback] : []),
  ])
  return { order: { order: withSystem(order, builder.system), extensions }, source }
}

class Chosen {
  readonly sources: BuildpackSource[] = []
  readonly #choice: BuildpackChoice

  constructor(choice: BuildpackChoice) {
    this.#choice = choice
  }

  /** Every way that a list can be read; more than one only through `from=builder`, which stands for the groups of the builder. */
  async groupsOf(texts: readonly string[], base: string): Promise<OrderEntry[][]> {
    let groups: OrderEntry[][] = [[]]
    for (const text of texts) {
      const parts =
        text === 'from=builder'
          ? this.#choice.builder.order.order.map(group => [...group])
          : [[await this.#entry(text, base)]]
      groups = groups.flatMap(group => parts.map(part => [...group, ...part]))
    }
    return groups
  }

  /** The same of a list of the project descriptor. */
  async groupsOfProject(entries: readonly ProjectBuildpack[]): Promise<OrderEntry[][]> {
    const { execEnv, projectDirectory, scratch } = this.#choice
    let groups: OrderEntry[][] = [[]]
    for (const entry of entries.filter(each => takesPart(each.execEnv, execEnv))) {
      let parts: OrderEntry[][]
      if (entry.script) {
        const { main, source } = await inlineBuildpack(entry, join(scratch, String(this.sources.length)))
        this.sources.push(source)
        parts = [[entryOf(main)]]
      } else {
        const id = entry.version === undefined ? `${entry.id}` : `${entry.id}@${entry.version}`
        parts = await this.groupsOf([entry.uri ?? id], projectDirectory)
      }
      groups = groups.flatMap(group => parts.map(part => [...group, ...part]))
    }
    return groups
  }

  async #entry(text: string, base: string): Promise<OrderEntry> {
    const locator = parseInput(() => parseBuildpackLocator(text))
    switch (locator.kind) {
      case 'builder-id': {
        const known = await this.#known(locator.id, locator.version)
        if (!known) throw this.#unknown(text)
        return known
      }
      case 'from-builder':
        throw this.#unknown(text)
      case 'bare':
        return this.#bare(text, base)
      case 'image':
        return this.#open({ kind: 'image', reference: `docker://${locator.reference}` }, base)
      default:
        return this.#open(locator, base)
    }
  }

  /** Bare text is a path, else an id of the builder, else an image. */
  async #bare(text: string, base: string): Promise<OrderEntry> {
    const path = resolve(base, text)
    const written = /^[./]/.test(text)
    if (written || (await isFile(path)) || (await exists(resolve(path, 'buildpack.toml'))))
      return this.#open({ kind: 'path', path: text }, base)
    const [id = '', version, ...more] = text.split('@')
    const known = more.length === 0 && isId(id) ? await this.#known(id, version) : undefined
    if (known) return known
    if (/^(?:oci|docker-archive):/.test(text) || namesRegistry(text) || (await this.#choice.isImage(text)))
      return this.#open({ kind: 'image', reference: text }, base)
    throw this.#unknown(text)
  }

  async #open(place: BuildpackPlace, base: string): Promise<OrderEntry> {
    const { main, source } = await this.#choice.finder.open(place, base)
    this.sources.push(source)
    return entryOf(main)
  }

  async #known(text: string, asked: string | undefined): Promise<OrderEntry | undefined> {
    if (!isId(text)) return undefined
    const id = parseBuildpackId(text, 'an order')
    const { builder, fallback } = this.#choice
    for (const shelf of [builder.buildpacks, ...(fallback ? [fallback] : [])]) {
      const version = asked ?? (await shelf.onlyVersion(id))
      if (version !== undefined && (await shelf.find(id, version))) return entryOf({ id, version })
    }
    return undefined
  }

  #unknown(text: string) {
    return buildpackUnknown(text, [
      ...new Set(this.#choice.builder.order.order.flat().map(each => `${each.id}`)),
    ])
  }
}

function entryOf({ id, version }: Pick<OrderEntry, 'id'> & { readonly version: string }): OrderEntry {
  return { id, version, optional: false, execEnv: [] }
}

function isId(text: string): boolean {
  return /^[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/.test(text)
}

/** Only what names a host is asked for at a registry: a slip of the pen in an id must not lead to an image that anybody may have put on Docker Hub. */
function namesRegistry(text: string): boolean {
  return /^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|[A-Za-z0-9.-]+:\d+|localhost)\/./.test(text)
}
