import { createHash } from 'node:crypto'
import type { Layer } from '#oci'
import { byBytes, readTar, type TarType } from '#std'

/** What is at a path of an image. `content` is the digest of a file's bytes or the target of a link, else empty. */
export interface TreeEntry {
  readonly type: TarType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly content: string
}

/** The files of an image by path: one Latin-1 character per byte, without a slash in front. */
export type Tree = ReadonlyMap<string, TreeEntry>

/** What one layer does to a tree, in order. */
type Change =
  | { readonly path: string; readonly kind: 'put'; readonly entry: TreeEntry }
  | { readonly path: string; readonly kind: 'remove' | 'empty' }

/** Reads layers, each once however many images have it. */
export interface LayerReader {
  /** The tree that layers make, the lowest first, as a container sees it (OCI image-spec layer.md, whiteouts included). */
  tree(layers: readonly Layer[]): Promise<Tree>
}

/** Opens a reader. Nothing is unpacked: names of an image stay text. */
export function layerReader(): LayerReader {
  const known = new Map<string, Promise<readonly Change[]>>()
  const changesOf = (layer: Layer) => {
    const found = known.get(layer.diffId) ?? readChanges(layer)
    known.set(layer.diffId, found)
    return found
  }
  return {
    async tree(layers) {
      const tree = new Map<string, TreeEntry>()
      for (const layer of layers) apply(tree, await changesOf(layer))
      return tree
    },
  }
}

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

async function readChanges(layer: Layer): Promise<readonly Change[]> {
  const changes: Change[] = []
  const files = new Map<string, TreeEntry>()
  for await (const { name, type, mode, uid, gid, size, linkname, content } of readTar(
    await layer.uncompressed(),
  )) {
    const path = pathOf(name)
    const cut = path.lastIndexOf('/') + 1
    const [directory, last] = [path.slice(0, Math.max(0, cut - 1)), path.slice(cut)]
    if (last === OPAQUE) changes.push({ path: directory, kind: 'empty' })
    else if (last.startsWith(WHITEOUT))
      changes.push({ path: path.slice(0, cut) + last.slice(WHITEOUT.length), kind: 'remove' })
    else {
      const target = linkname && type === 'link' ? files.get(pathOf(linkname)) : undefined
      const own = { type, mode, uid, gid, size }
      const entry = target ?? { ...own, content: await contentOf(type, linkname, content) }
      files.set(path, entry)
      changes.push({ path, kind: 'put', entry })
    }
  }
  return changes
}

async function contentOf(
  type: TarType,
  linkname: Buffer | undefined,
  content: AsyncIterable<Uint8Array>,
): Promise<string> {
  if (type === 'symlink' || type === 'link') return linkname?.toString('latin1') ?? ''
  if (type !== 'file') return ''
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return hash.digest('hex')
}

/** `./usr//bin/` and `/usr/bin` are one place. */
function pathOf(name: Buffer): string {
  return name
    .toString('latin1')
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/')
}

function apply(tree: Map<string, TreeEntry>, changes: readonly Change[]): void {
  // Whiteouts hide what is below their layer, wherever in the layer they stand.
  for (const { kind, path } of changes) {
    if (kind === 'put') continue
    for (const each of tree.keys())
      if (each.startsWith(path === '' ? '' : `${path}/`) || (kind === 'remove' && each === path))
        tree.delete(each)
  }
  for (const change of changes) {
    if (change.kind !== 'put') continue
    const before = tree.get(change.path)
    if (before?.type === 'directory' && change.entry.type !== 'directory')
      for (const each of tree.keys()) if (each.startsWith(`${change.path}/`)) tree.delete(each)
    tree.set(change.path, change.entry)
  }
}

/** What of an entry is another. */
export type Difference = 'type' | 'content' | 'mode' | 'owner'

/** A path that is not the same in both trees. */
export interface FileChange {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Only of what changed. */
  readonly differences: readonly Difference[]
  readonly before?: TreeEntry
  readonly after?: TreeEntry
}

/** Every path that is not the same in both, sorted by bytes. Times do not count. */
export function compareTrees(before: Tree, after: Tree): FileChange[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort(byBytes)
  return paths.flatMap((path): FileChange[] => {
    const [was, is] = [before.get(path), after.get(path)]
    if (was && is) {
      const differences = differencesOf(was, is)
      return differences.length === 0
        ? []
        : [{ path, change: 'changed', differences, before: was, after: is }]
    }
    return was
      ? [{ path, change: 'removed', differences: [], before: was }]
      : [{ path, change: 'added', differences: [], after: is as TreeEntry }]
  })
}

function differencesOf(was: TreeEntry, is: TreeEntry): Difference[] {
  if (was.type !== is.type) return ['type']
  return [
    ...(was.content !== is.content ? ['content' as const] : []),
    ...(was.mode !== is.mode ? ['mode' as const] : []),
    ...(was.uid !== is.uid || was.gid !== is.gid ? ['owner' as const] : []),
  ]
}
