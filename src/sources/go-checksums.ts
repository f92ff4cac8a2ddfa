import type { Readable } from 'node:stream'
import { Problem } from '#std'
import { openNote } from './go-note.ts'
import type { GoChecksumDatabase, GoSettings } from './go-settings.ts'
import { isRecordIn, parseTreeHead, subtreesFromTiles, TILE_WIDTH } from './go-tree.ts'
import { discard, type RegistryAccess, textOf } from './registry.ts'
import { notOffered, registryConfused, registryRefused } from './registry-problems.ts'

const KIND = 'the Go checksum database'

/**
 * The `h1:` digest of a module version by the checksum database. Its record is believed only if a signed tree head comes with it,
 * and the record is proven to be in that tree. Throws a `Problem` (`SOURCE_NOT_FOUND`, `SOURCE_REFUSED`, `SOURCE_ANSWER_INVALID`).
 */
export async function lookUpChecksum(
  path: string,
  version: string,
  database: GoChecksumDatabase,
  { proxies }: Pick<GoSettings, 'proxies'>,
  access: RegistryAccess,
): Promise<string> {
  const what = `${path}@${version}`
  const place = await placeOf(database, proxies, access)
  const text = await place.text(`lookup/${escapeGoPath(path)}@${escapeGoPath(version)}`, what)
  const [, id = '', record = '', note = ''] = /^(\d{1,15})\n((?:[^\n]+\n)+)\n([\s\S]+)$/.exec(text) ?? []
  const opened = openNote(note, database.key)
  if (opened === undefined)
    throw registryConfused(what, KIND, 'it is not signed with the key of the database')
  const head = parseTreeHead(opened)
  if (!head) throw registryConfused(what, KIND, 'what is signed is no tree head')
  const subtree = subtreesFromTiles(head.size, (tile, width) => fetchTile(place, tile, width, what))
  if (!(await isRecordIn(head, Number(id), record, subtree))) {
    throw registryConfused(what, KIND, 'its answer is not in the tree that it signed')
  }
  for (const line of record.split('\n')) {
    const [module, release, h1] = line.split(' ')
    if (module === path && release === version && h1?.startsWith('h1:')) return h1
  }
  throw registryConfused(what, KIND, 'its answer is about something else')
}

/** Escapes upper case, as paths in Go's protocols want it: `Azure` is `!azure`. */
export function escapeGoPath(path: string): string {
  return path.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`)
}

interface Place {
  text(path: string, what: string): Promise<string>
  bytes(path: string, what: string): Promise<Buffer>
}

/** A tile that is not full may be gone once it has been filled; then the full one begins with the same hashes. */
async function fetchTile(place: Place, path: string, width: number, what: string): Promise<Buffer> {
  if (width === TILE_WIDTH) return place.bytes(path, what)
  try {
    return await place.bytes(`${path}.p/${width}`, what)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'SOURCE_NOT_FOUND') throw error
    return place.bytes(path, what)
  }
}

/** A copy of the database at a proxy, or else the database itself. */
async function placeOf(
  { key, url }: GoChecksumDatabase,
  proxies: GoSettings['proxies'],
  access: RegistryAccess,
): Promise<Place> {
  for (const proxy of proxies) {
    const base = `${proxy.url}/sumdb/${key.name}`
    const { status, body } = await access.get(`${base}/supported`, {
      authorization: proxy.authorization,
      signal: access.signal,
    })
    discard(body)
    if (status === 200) return at(base, proxy.authorization, access)
  }
  return at(url, undefined, access)
}

function at(base: string, authorization: string | undefined, access: RegistryAccess): Place {
  const get = async (path: string, what: string): Promise<Readable> => {
    const { status, body } = await access.get(`${base}/${path}`, { authorization, signal: access.signal })
    if (status === 200) return body
    discard(body)
    throw status === 404 || status === 410 ? notOffered(what, KIND) : registryRefused(what, status, KIND)
  }
  return {
    text: async (path, what) => textOf(await get(path, what), what, KIND, 1 << 20),
    async bytes(path, what) {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of (await get(path, what)) as AsyncIterable<Uint8Array>) {
        size += chunk.byteLength
        if (size > 1 << 16) throw registryConfused(what, KIND, 'a tile of its tree is too large')
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}
