import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { byBytes, digestOf } from '#std'

/** One digest for everything below a directory: paths, which files are programs, contents, where links lead. */
export async function sourceDigest(directory: string): Promise<string> {
  const lines: string[] = []
  await collect(Buffer.from(directory), '', lines)
  return digestOf(lines.join('\n'))
}

/** Names are bytes: they are read and told as they are. */
async function collect(directory: Buffer, path: string, lines: string[]): Promise<void> {
  const names = (await readdir(directory, { encoding: 'buffer' }))
    .map(name => name.toString('latin1'))
    .sort(byBytes)
  for (const name of names) {
    const place = Buffer.concat([directory, Buffer.from(`/${name}`, 'latin1')])
    const inner = JSON.stringify(path === '' ? name : `${path}/${name}`)
    const stats = await lstat(place)
    if (stats.isDirectory()) {
      lines.push(`directory ${inner}`)
      await collect(place, path === '' ? name : `${path}/${name}`, lines)
    } else if (stats.isSymbolicLink()) {
      lines.push(`link ${inner} ${digestOf(await readlink(place, { encoding: 'buffer' }))}`)
    } else if (stats.isFile()) {
      lines.push(`${(stats.mode & 0o100) !== 0 ? 'program' : 'file'} ${inner} ${await fileDigest(place)}`)
    }
  }
}

async function fileDigest(path: Buffer): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Variables that steer slipway's own buildpacks say nothing to a build tool. */
const OURS = /^(?:BP|BPE|BPL|SLIPWAY)_/

/** One digest for the variables that the user gave to the build: a project may read any of them. */
export async function variablesDigest(platform: string): Promise<string> {
  const directory = join(platform, 'env')
  const names = (await readdir(directory).catch(() => [])).filter(
    name => !name.startsWith('.') && !OURS.test(name),
  )
  const texts = names.sort(byBytes).map(async name => {
    const value = await readFile(join(directory, name)).catch(() => undefined)
    return value === undefined ? '' : `${name} ${digestOf(value)}`
  })
  return digestOf((await Promise.all(texts)).join('\n'))
}
