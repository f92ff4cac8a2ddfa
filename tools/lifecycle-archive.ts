import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { printLifecycleDescriptor } from '#cnb'
import { type LifecycleFiles, lifecycleFiles } from '#platform'
import { openMachineSources } from '#runtimes'
import { packTar, silent, type TarEntry } from '#std'

/** 1980-01-01T00:00:01Z, as in the layers of a builder. */
const TIME = 315_532_801

/**
 * Our lifecycle as the archive that `[lifecycle] uri` of a builder.toml takes: `lifecycle.toml` and, one level down, the files. Equal files give equal bytes
 * for one release of Node.js, whose zlib packs them.
 */
export async function writeLifecycleArchive(
  { files, descriptor }: LifecycleFiles,
  file: string,
): Promise<void> {
  const toml = Buffer.from(printLifecycleDescriptor(descriptor))
  const entry = { uid: 0, gid: 0, mtime: TIME }
  const entries: TarEntry[] = [
    { ...entry, name: 'lifecycle.toml', type: 'file', mode: 0o644, size: toml.length, content: toml },
    { ...entry, name: 'lifecycle', type: 'directory', mode: 0o755, size: 0 },
  ]
  for (const { name, mode, path } of files) {
    const content = await readFile(path)
    entries.push({ ...entry, name: `lifecycle/${name}`, type: 'file', mode, size: content.length, content })
  }
  await pipeline(packTar(entries), createGzip({ level: 6 }), createWriteStream(file))
}

if (process.argv[1] === import.meta.filename) {
  const [, , file = 'dist/lifecycle.tgz', arch = process.arch === 'arm64' ? 'arm64' : 'amd64'] = process.argv
  const { env } = process
  const home = env.SLIPWAY_HOME ?? join(homedir(), '.local/share/slipway')
  await using sources = openMachineSources({
    ...{ home, environment: env, userHome: homedir(), node: process.execPath, now: Date.now },
    ...(env.NODE_EXTRA_CA_CERTS && { certificates: await readFile(env.NODE_EXTRA_CA_CERTS, 'utf8') }),
  })
  const files = await lifecycleFiles({
    ...{ arch: arch === 'arm64' ? 'arm64' : 'amd64', home, environment: env, sources, report: silent },
  })
  await writeLifecycleArchive(files, file)
  console.log(`${file}: ${files.files.length} files`)
}
