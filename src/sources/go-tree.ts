import { createHash } from 'node:crypto'

/** A log of records whose whole content one hash stands for (RFC 6962, section 2.1). */
export interface TreeHead {
  /** How many records there are. */
  readonly size: number
  readonly root: Buffer
}

/** Gives the hash of a complete subtree: the one of 2^level records that begins with record index × 2^level. */
export type SubtreeHash = (level: number, index: number) => Promise<Buffer>

/** Reads the text of a signed tree head; `undefined` where it is none. */
export function parseTreeHead(text: string): TreeHead | undefined {
  const [, size, root = ''] = /^go\.sum database tree\n(\d{1,15})\n([A-Za-z0-9+/]{43}=)\n/.exec(text) ?? []
  return size === undefined ? undefined : { size: Number(size), root: Buffer.from(root, 'base64') }
}

/** The hash of one record. */
export function recordHash(record: string): Buffer {
  return createHash('sha256').update('\0').update(record).digest()
}

/** The hash over two subtrees. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update('\x01').update(left).update(right).digest()
}

/**
 * True if a record stands at that place in the tree. The hashes of its neighbours come from anyone: only with the true ones does the
 * result equal the signed root.
 */
export async function isRecordIn(
  head: TreeHead,
  place: number,
  record: string,
  subtree: SubtreeHash,
): Promise<boolean> {
  if (!Number.isSafeInteger(place) || place < 0 || place >= head.size) return false
  const hash = async (from: number, to: number): Promise<Buffer> => {
    if (place >= from && place < to) {
      if (to - from === 1) return recordHash(record)
    } else if (isComplete(from, to)) return subtree(Math.log2(to - from), from / (to - from))
    const middle = from + largestPowerBelow(to - from)
    return nodeHash(await hash(from, middle), await hash(middle, to))
  }
  return (await hash(0, head.size)).equals(head.root)
}

function isComplete(from: number, to: number): boolean {
  return Number.isInteger(Math.log2(to - from)) && from % (to - from) === 0
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

const HEIGHT = 8
const WIDTH = 2 ** HEIGHT
const HASH = 32

/** The hashes of a tile, a file of up to 256 hashes of every eighth level; `path` is that of the full one, such as `tile/8/0/x001/234`. */
export type FetchTile = (path: string, width: number) => Promise<Buffer>

/** How many hashes a full tile has. */
export const TILE_WIDTH = WIDTH

/** Subtree hashes out of tiles (golang.org/x/mod/sumdb/tlog). Each is fetched once. */
export function subtreesFromTiles(size: number, fetch: FetchTile): SubtreeHash {
  const tiles = new Map<string, Promise<Buffer>>()
  return async (level, index) => {
    const row = Math.floor(level / HEIGHT)
    const count = 2 ** (level - row * HEIGHT)
    const first = index * count
    const number = Math.floor(first / WIDTH)
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** row) - number * WIDTH)
    const path = tilePath(row, number)
    const tile = await (tiles.get(path) ?? tiles.set(path, fetch(path, width)).get(path))
    const start = (first % WIDTH) * HASH
    // What is missing cannot lead to the signed root.
    if (tile === undefined || tile.byteLength < width * HASH) return Buffer.alloc(HASH)
    let hashes = Array.from({ length: count }, (_, at) =>
      tile.subarray(start + at * HASH, start + (at + 1) * HASH),
    )
    while (hashes.length > 1) {
      hashes = Array.from({ length: hashes.length / 2 }, (_, at) =>
        nodeHash(hashes[2 * at] as Buffer, hashes[2 * at + 1] as Buffer),
      )
    }
    return hashes[0] as Buffer
  }
}

function tilePath(row: number, number: number): string {
  let name = String(number % 1000).padStart(3, '0')
  for (let rest = Math.floor(number / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`
  }
  return `tile/${HEIGHT}/${row}/${name}`
}
