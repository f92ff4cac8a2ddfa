import { type Component, componentsOfDpkg } from '#bom'
import type { Layer } from '#oci'
import { readAll, readTar } from '#std'

const WANTED =
  /^(?:etc\/os-release|usr\/lib\/os-release|var\/lib\/dpkg\/status|var\/lib\/dpkg\/status\.d\/[^/]+)$/
const LARGEST = 64 * 2 ** 20

/**
 * The packages of the operating system in these layers as dpkg's records list them, for images whose base carries no bill of its own.
 * A file of a later layer replaces one of an earlier. Empty where there are no such records.
 */
export async function osPackages(layers: readonly Layer[]): Promise<Component[]> {
  const files = new Map<string, string>()
  for (const layer of layers) {
    for await (const { name, type, size, content } of readTar(await layer.uncompressed())) {
      const path = name.toString('latin1').replace(/^(?:\.?\/)+/, '')
      if (type !== 'file' || size > LARGEST || !WANTED.test(path) || path.endsWith('.md5sums')) continue
      files.set(path, (await readAll(content, LARGEST)).toString('utf8'))
    }
  }
  const release = files.get('etc/os-release') ?? files.get('usr/lib/os-release') ?? ''
  const value = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1] || undefined
  const distribution = value('ID') ?? 'debian'
  const records = [...files].filter(([path]) => path.startsWith('var/lib/dpkg/')).map(([, text]) => text)
  if (records.length === 0) return []
  const system: Component[] = value('ID')
    ? [{ type: 'operating-system', name: distribution, version: value('VERSION_ID') ?? '' }]
    : []
  return [...system, ...componentsOfDpkg(records.join('\n\n'), distribution, value('VERSION_ID'))]
}
