import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { type ReadEntry, readTar, type TarLimits } from '#std'
import { packageMalformed } from './debian-problems.ts'
import { unxz } from './unxz.ts'
import type { UnxzPool } from './unxz-pool.ts'

const LIMITS: TarLimits = { entries: 200_000, bytes: 4 * 2 ** 30, headerBytes: 1 << 20 }

interface Member {
  readonly name: string
  readonly start: number
  readonly size: number
}

/** The files of a Debian package (its data.tar), as they come; decompressed in threads of `pool` where one is given. */
export function readDeb(path: string, pool?: UnxzPool): AsyncGenerator<ReadEntry> {
  return entriesOf(path, 'data.tar', LIMITS, pool)
}

/** The control files of a package: `control`, `md5sums`, `conffiles`, maintainer scripts; name to text. */
export async function readDebControl(path: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  const limits: TarLimits = { entries: 1000, bytes: 64 * 2 ** 20, headerBytes: 1 << 16 }
  for await (const entry of entriesOf(path, 'control.tar', limits)) {
    if (entry.type !== 'file') continue
    const chunks: Uint8Array[] = []
    for await (const chunk of entry.content) chunks.push(chunk)
    texts.set(entry.name.toString('utf8').replace(/^\.\//, ''), Buffer.concat(chunks).toString('utf8'))
  }
  return texts
}

async function* entriesOf(
  path: string,
  wanted: string,
  limits: TarLimits,
  pool?: UnxzPool,
): AsyncGenerator<ReadEntry> {
  const member = (await membersOf(path)).find(({ name }) => name === wanted || name.startsWith(`${wanted}.`))
  if (!member) throw packageMalformed(path, `there is no ${wanted} in it`)
  const whole = await decompressed(path, member, pool)
  if (whole) return yield* readTar(whole, limits)
  const bytes = createReadStream(path, { start: member.start, end: member.start + member.size - 1 })
  const kind = member.name.slice(wanted.length)
  try {
    if (kind === '') yield* readTar(bytes, limits)
    else if (kind === '.gz') yield* readTar(sound(bytes.pipe(createGunzip()), path), limits)
    else if (kind === '.xz') yield* readTar(sound(unxz(bytes), path), limits)
    else throw packageMalformed(path, `its ${member.name} is compressed in a way that is not read here`)
  } finally {
    bytes.destroy()
  }
}

/** Decompressed bytes; what is wrong with them is the package's fault, what is wrong with the disk is not. */
async function* sound(bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } catch (cause) {
    if (!(cause instanceof Error) || 'syscall' in cause) throw cause
    throw packageMalformed(path, cause.message, cause)
  }
}

/** Larger members are better streamed than held in memory. */
const WHOLE = 16 * 2 ** 20

async function decompressed(
  path: string,
  { name, start, size }: Member,
  pool: UnxzPool | undefined,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  if (!pool || !name.endsWith('.xz') || size > WHOLE) return undefined
  const bytes = await pool.unxz(path, start, size).catch(cause => {
    throw packageMalformed(path, cause.message, cause)
  })
  return bytes && pieces(bytes)
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20))
}

/** The members of an ar archive (ar(5), System V names without tables). */
async function membersOf(path: string): Promise<Member[]> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if ((await textAt(file, 0, 8)) !== '!<arch>\n') throw packageMalformed(path, 'it is not a Debian package')
    const members: Member[] = []
    for (let at = 8; at + 60 <= size && members.length < 16; ) {
      const header = await textAt(file, at, 60)
      const length = /^[0-9]+ *$/.test(header.slice(48, 58)) ? Number(header.slice(48, 58)) : Number.NaN
      if (header.slice(58) !== '`\n' || !(at + 60 + length <= size))
        throw packageMalformed(path, 'its table is damaged')
      members.push({ name: header.slice(0, 16).trimEnd().replace(/\/$/, ''), start: at + 60, size: length })
      at += 60 + length + (length % 2)
    }
    return members
  } finally {
    await file.close()
  }
}

async function textAt(file: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead).toString('latin1')
}
