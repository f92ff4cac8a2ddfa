import { packTar, readAll, type TarEntry } from '#std'
import { storedXz } from './xz.testing.ts'

/** What a package for tests is made of. */
export interface TestDeb {
  /** Fields of its control file, a line each. */
  readonly control: string
  /** Further control files, such as `postinst`. */
  readonly scripts?: Readonly<Record<string, string>>
  readonly entries: readonly TarEntry[]
  /** Takes the place of its data.tar. */
  readonly data?: Buffer
}

/** Files and directories as tar entries, by path; a path that ends in a slash is a directory. */
export function filesOf(files: Readonly<Record<string, string>>): TarEntry[] {
  return Object.entries(files).map(([path, text]) => {
    const common = { name: `./${path}`, uid: 0, gid: 0, mtime: 0 }
    if (path.endsWith('/')) return { ...common, type: 'directory', mode: 0o755, size: 0 }
    const content = Buffer.from(text)
    return { ...common, type: 'file', mode: 0o644, size: content.length, content }
  })
}

/** Makes a Debian package (deb(5)) for tests. */
export async function makeDeb({ control, scripts = {}, entries, data }: TestDeb): Promise<Buffer> {
  const controlTar = await readAll(packTar(filesOf({ control: `${control.trim()}\n`, ...scripts })))
  const dataTar = data ?? storedXz(await readAll(packTar(entries)))
  const members = [
    member('debian-binary', Buffer.from('2.0\n')),
    member('control.tar', controlTar),
    member('data.tar.xz', dataTar),
  ]
  return Buffer.concat([Buffer.from('!<arch>\n'), ...members])
}

function member(name: string, content: Buffer): Buffer {
  const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`
  return Buffer.concat([Buffer.from(header), content, Buffer.alloc(content.length % 2, '\n')])
}
