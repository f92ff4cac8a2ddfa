import {
  type BuildpackDescriptor,
  effectiveTargets,
  escapeId,
  type ModuleInfo,
  moduleLayer,
  parseBuildpack,
} from '#cnb'
import { NORMAL_TIME } from '#lifecycle'
import { type Digest, Digesting, packTar, readAll, type TarEntry } from '#std'
import type { ModuleFiles } from './blob.ts'
import type { ModuleTar, PackageModule } from './module.ts'
import { moduleInvalid } from './problems.ts'

/** A descriptor larger than this is refused unread. */
const LARGEST = 1 << 20

/**
 * The module that files hold, with its descriptor at their top. Its layer is byte for byte the one that pack makes: the directories of id and version first, then the
 * files in their order, owned by root, at one time, with modes 0755 and 0644.
 * Throws a `Problem` (`MODULE_INVALID`, `MODULE_ENTRY_REFUSED`, or what reading the descriptor throws).
 */
export async function rootModule(
  files: ModuleFiles,
  kind: BuildpackDescriptor['kind'],
): Promise<PackageModule> {
  const { descriptor, hasBuild } = await describe(files, kind)
  const tar = await moduleTar(files, descriptor)
  return {
    kind,
    info: infoOf(descriptor),
    about: moduleLayer(descriptor, tar.diffId),
    hasBuild,
    tar,
  }
}

/** The targets that a module works on, inferred where it names none. */
export function targetsOf({ descriptor, hasBuild }: { descriptor: BuildpackDescriptor; hasBuild: boolean }) {
  return effectiveTargets(descriptor, hasBuild)
}

/** Reads the descriptor of a module, and whether it has executables. */
export async function describe(
  files: ModuleFiles,
  kind: BuildpackDescriptor['kind'],
): Promise<{ descriptor: BuildpackDescriptor; hasBuild: boolean }> {
  const wanted = `${kind}.toml`
  let text: string | undefined
  let hasBuild = false
  for await (const { name, type, size, content } of files.entries()) {
    const path = name.toString('latin1')
    if (path === 'bin/build') hasBuild = true
    if (path !== wanted || type !== 'file' || content === undefined) continue
    if (size > LARGEST) throw moduleInvalid(files.place, `its ${wanted} is larger than ${LARGEST} bytes`)
    text = content instanceof Uint8Array ? Buffer.from(content).toString() : await textOf(await content())
  }
  if (text === undefined) throw moduleInvalid(files.place, `it has no ${wanted} at its top`)
  const descriptor = parseBuildpack(text, `${wanted} of ${files.place}`)
  if (descriptor.kind !== kind) throw moduleInvalid(files.place, `its ${wanted} has no table [${kind}]`)
  const { order, stacks, targets } = descriptor
  if (order && order.length > 0 && stacks.length + targets.length > 0)
    throw moduleInvalid(files.place, `its ${wanted} has an order, and stacks or targets too`)
  return { descriptor, hasBuild }
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  return (await readAll(content)).toString()
}

function infoOf(descriptor: BuildpackDescriptor): ModuleInfo {
  const { id, version, name, description, homepage, keywords, licenses, clearEnv } = descriptor
  return {
    id,
    version,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(homepage !== undefined && { homepage }),
    ...(keywords.length > 0 && { keywords }),
    ...(licenses.length > 0 && { licenses }),
    ...(clearEnv && { clearEnv }),
  }
}

async function moduleTar(files: ModuleFiles, descriptor: BuildpackDescriptor): Promise<ModuleTar> {
  const open = () => packTar(layerEntries(files, descriptor))
  return { diffId: await diffIdOf(open()), open }
}

/** The digest of a plain tar. */
export async function diffIdOf(tar: AsyncIterable<Uint8Array>): Promise<Digest> {
  const digesting = new Digesting()
  digesting.resume()
  for await (const chunk of tar) {
    if (!digesting.write(chunk)) await new Promise(done => digesting.once('drain', done))
  }
  await new Promise<void>(done => digesting.end(done))
  return digesting.digest()
}

async function* layerEntries(files: ModuleFiles, descriptor: BuildpackDescriptor): AsyncGenerator<TarEntry> {
  const parent = `/cnb/${descriptor.kind}s/${escapeId(descriptor.id)}`
  const base = `${parent}/${descriptor.version}`
  for (const name of [parent, base])
    yield { name, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: NORMAL_TIME, size: 0 }
  for await (const entry of files.entries()) {
    yield {
      ...entry,
      name: below(base, entry.name),
      mode: modeOf(entry),
      uid: 0,
      gid: 0,
      mtime: NORMAL_TIME,
      ...(entry.type === 'link' && { linkname: below(base, entry.linkname as Buffer) }),
    }
  }
}

function below(base: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), name])
}

const EXECUTABLES = new Set(['bin/build', 'bin/detect', 'bin/generate'])

function modeOf({ type, name, mode }: TarEntry & { readonly name: Buffer }): number {
  const executable = type === 'directory' || EXECUTABLES.has(name.toString('latin1')) || (mode & 0o111) !== 0
  return executable ? 0o755 : 0o644
}
