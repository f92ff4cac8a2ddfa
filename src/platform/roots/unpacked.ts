import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Layer } from '#oci'
import { digestOf, hexOf, ownedDirectory, type Report, type TemporaryDirectory } from '#std'
import { lockRoots, ROOTS, USED, unpackOnce } from './image-root.ts'
import { mergeTrees, type UnpackedLayer } from './merge-trees.ts'
import { once } from './once.ts'

/** A tar that can be read again and again, named by its digest. */
export type PlainTar = Pick<Layer, 'diffId' | 'uncompressed'>

/** Files of images and archives as directories, each unpacked once per machine. They may not be written to, and stay until this is disposed. */
export interface Unpacked extends AsyncDisposable {
  /** The files of one layer or archive, by the rules of `unpackLayer`. */
  layer(tar: PlainTar): Promise<string>
  /** The files of all layers (lowest first) as one directory, which `finish` may add to before anybody sees it. `purpose` names what it adds. */
  whole(
    layers: readonly Layer[],
    purpose: string,
    finish: (directory: string) => Promise<void>,
  ): Promise<string>
}

/** Opens what is unpacked below `<home>/roots`. Nothing is made before it is needed. */
export function openUnpacked(home: string, report: Report): Unpacked {
  const roots = join(home, ROOTS)
  let claim: Promise<TemporaryDirectory> | undefined
  const used = new Set<string>()
  const use = async (directory: string) => {
    used.add(relative(roots, directory).split('/')[0] ?? '')
    claim ??= ownedDirectory(join(home, 'runs'), 'run-')
    await writeFile(join((await claim).path, USED), [...used].join('\n'))
  }
  return {
    async layer(tar) {
      await using _ = await lockRoots(home)
      const { directory } = await unpackOnce(tar, roots, report)
      await use(directory)
      return directory
    },
    async whole(layers, purpose, finish) {
      await using _ = await lockRoots(home)
      const key = digestOf([purpose, ...layers.map(({ diffId }) => diffId)].join(' '))
      const directory = await once(join(roots, `root-${hexOf(key)}`), async target => {
        const unpacked: UnpackedLayer[] = []
        for (const layer of layers) unpacked.push(await unpackOnce(layer, roots, report))
        using _progress = report.progress(`putting ${layers.length} layers together`)
        await mergeTrees(unpacked, target)
        await finish(target)
      })
      await use(directory)
      return directory
    },
    [Symbol.asyncDispose]: async () => (await claim)?.[Symbol.asyncDispose](),
  }
}
