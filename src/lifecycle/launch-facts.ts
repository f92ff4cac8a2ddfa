import { constants } from 'node:fs'
import { posix } from 'node:path'
import * as v from 'valibot'
import type { EnvironmentFile } from '#cnb'
import { check, openDisposable, parseJson, readAll, readTar } from '#std'
import type { Place } from './executor.ts'
import { treeUnreadable } from './export-problems.ts'
import { pathOnDisk, type TreeEntry } from './tree.ts'

/** What a launch layer says about how processes start (CNB buildpack specification, "Environment", "Layer Paths", "Launch"). */
export interface LaunchFacts {
  /** Which of `bin` and `lib` it has. */
  readonly directories: readonly string[]
  /** Names in `bin` that can be executed. */
  readonly executables: readonly string[]
  /** Files of `env/`, then of `env.launch/`. */
  readonly env: readonly EnvironmentFile[]
  readonly launchEnv: readonly EnvironmentFile[]
  /** Files of `env.launch/<type>/`, by process type. */
  readonly typeEnv: Readonly<Record<string, readonly EnvironmentFile[]>>
  /** What only a launcher can do when the process starts, in words. */
  readonly launcherFor: readonly string[]
}

/** Larger files of variables are left to the launcher. */
const LARGEST_VALUE = 1 << 16

interface Item {
  readonly path: string
  readonly type: string
  readonly mode: number
  readonly linkname?: string
  readonly size: number
  content(): Promise<Buffer>
}

/** The facts of a layer that is on disk. */
export async function factsOfTree(place: Place, entries: readonly TreeEntry[]): Promise<LaunchFacts> {
  const facts = new Gathering()
  for (const entry of entries) {
    if (isOfInterest(entry.path))
      await facts.add({ ...entry, content: () => readSmall(pathOnDisk(place.host, entry.path)) })
  }
  return facts.done()
}

/** The facts of a layer that is kept as a tar, whose directory images know as `inside`. */
export async function factsOfTar(tar: AsyncIterable<Uint8Array>, inside: string): Promise<LaunchFacts> {
  const facts = new Gathering()
  const prefix = `${Buffer.from(inside).toString('latin1')}/`
  for await (const { name, type, mode, linkname, size, content } of readTar(tar)) {
    const path = name.toString('latin1')
    if (!path.startsWith(prefix) || !isOfInterest(path.slice(prefix.length))) continue
    await facts.add({
      path: path.slice(prefix.length),
      type,
      mode,
      size,
      ...(linkname && { linkname: linkname.toString('latin1') }),
      content: () => readAll(content),
    })
  }
  return facts.done()
}

const environmentFile = v.object({ name: v.string(), content: v.string() })
const factsSchema = v.object({
  directories: v.array(v.string()),
  executables: v.array(v.string()),
  env: v.array(environmentFile),
  launchEnv: v.array(environmentFile),
  typeEnv: v.record(v.string(), v.array(environmentFile)),
  launcherFor: v.array(v.string()),
})

/** Reads facts that were printed as JSON. Throws a `Problem` (`JSON_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseFacts(text: string, source: string): LaunchFacts {
  return check(factsSchema, parseJson(text, source), source)
}

function isOfInterest(path: string): boolean {
  return /^(?:bin|lib)$|^bin\/[^/]+$|^(?:env|env\.launch|exec\.d|profile\.d)(?:\/|$)/.test(path)
}

class Gathering {
  readonly #directories = new Set<string>()
  readonly #executables: string[] = []
  readonly #env: EnvironmentFile[] = []
  readonly #launchEnv: EnvironmentFile[] = []
  readonly #typeEnv = new Map<string, EnvironmentFile[]>()
  readonly #launcherFor = new Set<string>()

  async add(item: Item): Promise<void> {
    const [first, ...rest] = item.path.split('/')
    if (first === 'exec.d' || first === 'profile.d') {
      if (rest.length > 0 && item.type !== 'directory')
        this.#launcherFor.add(`${first}/ holds programs that run before the process`)
    } else if (first === 'env' || first === 'env.launch') await this.#addVariable(item, first, rest)
    else if (rest.length === 0) this.#addDirectory(item)
    else if (item.type === 'symlink' || (item.type === 'file' && item.mode & 0o111))
      this.#executables.push(textOf(rest.join('/')) ?? '')
  }

  done(): LaunchFacts {
    return {
      directories: [...this.#directories],
      executables: this.#executables,
      env: this.#env,
      launchEnv: this.#launchEnv,
      typeEnv: Object.fromEntries(this.#typeEnv),
      launcherFor: [...this.#launcherFor],
    }
  }

  #addDirectory({ path, type }: Item): void {
    if (type === 'directory') this.#directories.add(path)
    else if (type === 'symlink')
      this.#launcherFor.add(`${path} is a link, which is followed when the process starts`)
  }

  /** Directories in env directories, other than those of process types, are passed over. */
  async #addVariable(item: Item, first: string, rest: readonly string[]): Promise<void> {
    const [type, file] = rest.length === 2 ? [rest[0], rest[1]] : [undefined, rest[0]]
    if (
      file === undefined ||
      rest.length > 2 ||
      item.type === 'directory' ||
      (type !== undefined && first === 'env')
    )
      return
    const name = textOf(file)
    const content =
      item.type === 'file' && item.size <= LARGEST_VALUE
        ? textOf((await item.content()).toString('latin1'))
        : undefined
    if (name === undefined || content === undefined) {
      const shown = posix.join(first, ...rest)
      this.#launcherFor.add(`${shown} is a link, is not UTF-8 or has more than ${LARGEST_VALUE} bytes`)
      return
    }
    const variable = { name, content }
    if (type !== undefined) this.#typeEnv.set(type, [...(this.#typeEnv.get(type) ?? []), variable])
    else if (first === 'env') this.#env.push(variable)
    else this.#launchEnv.push(variable)
  }
}

/** Bytes, as latin1, read as UTF-8; `undefined` if they are none. */
function textOf(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

async function readSmall(path: string | Buffer): Promise<Buffer> {
  try {
    await using file = await openDisposable(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    return await file.handle.readFile()
  } catch (error) {
    throw treeUnreadable(path, error)
  }
}
