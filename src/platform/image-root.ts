import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layer, StoredImage } from '#oci'
import { digestOf, hexOf, type Report } from '#std'
import { mergeTrees, type UnpackedLayer } from './merge-trees.ts'
import { once } from './once.ts'
import { type LayerNotes, unpackLayer } from './unpack-layer.ts'

/** The options of an overlay mount have to fit on one page (mount(2)). */
const LONGEST = 3_500

/**
 * The files of an image as directories below `<home>/trees` (lowest first), none of which may be written to: each layer is unpacked once per machine. Where a
 * layer removes or only touches what is below it, all are put together in one. Throws a `Problem` (`LAYER_REFUSED`, `TAR_MALFORMED`, …).
 */
export async function openImageRoot(
  image: StoredImage,
  home: string,
  report: Report,
): Promise<readonly string[]> {
  const trees = join(home, 'trees')
  const layers: UnpackedLayer[] = []
  for (const layer of image.layers) layers.push(await unpackOnce(layer, trees, report))
  const plain = layers.every(({ notes }, index) => index === 0 || isPlain(notes))
  const directories = layers.map(({ directory }) => directory)
  if (plain && directories.length > 0 && directories.join(':').length < LONGEST) return directories
  return [await mergeOnce(image, layers, trees, report)]
}

/** Copies the files of an image into an empty directory, where they may be written to: for machines without overlays. */
export async function copyImageRoot(
  directories: readonly string[],
  target: string,
  report: Report,
): Promise<void> {
  using _ = report.progress('copying the files of the image')
  const none = { whiteouts: [], opaque: [], implied: [] }
  await mergeTrees(
    directories.map(directory => ({ directory, notes: none })),
    target,
    'copies',
  )
}

async function unpackOnce(
  { diffId, uncompressed }: Layer,
  trees: string,
  report: Report,
): Promise<UnpackedLayer> {
  const place = await once(join(trees, `layer-${hexOf(diffId)}`), async directory => {
    using progress = report.progress(`unpacking layer ${hexOf(diffId).slice(0, 12)}`, undefined)
    const tree = join(directory, 'tree')
    await mkdir(tree, { mode: 0o755 })
    const counted = async function* () {
      for await (const chunk of await uncompressed()) {
        progress.add((chunk as Buffer).length)
        yield chunk as Buffer
      }
    }
    const notes = await unpackLayer(counted(), tree)
    await writeFile(join(directory, 'notes.json'), JSON.stringify(notes))
  })
  const notes = JSON.parse(await readFile(join(place, 'notes.json'), 'utf8')) as LayerNotes
  return { directory: join(place, 'tree'), notes }
}

function isPlain({ whiteouts, opaque, implied }: LayerNotes): boolean {
  return whiteouts.length + opaque.length + implied.length === 0
}

async function mergeOnce(
  image: StoredImage,
  layers: readonly UnpackedLayer[],
  trees: string,
  report: Report,
): Promise<string> {
  const chain = hexOf(digestOf(image.layers.map(({ diffId }) => diffId).join(' ')))
  return await once(join(trees, `root-${chain}`), async directory => {
    using _ = report.progress(`putting ${layers.length} layers together`)
    await mergeTrees(layers, directory)
  })
}
