import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Layer, StoredImage } from '#oci'
import { digestOf, hexOf, lockFile, type Report } from '#std'
import { layerRefused } from '../problems.ts'
import { mergeTrees, type UnpackedLayer } from './merge-trees.ts'
import { once } from './once.ts'
import { type LayerNotes, unpackLayer } from './unpack-layer.ts'

/** The options of an overlay mount have to fit on one page (mount(2)). */
const LONGEST = 3_500

/** Below the state directory: `layer-DIFFID-BOOT` and `root-CHAIN-BOOT`. No build ever sees it, for it holds the files of all apps. */
export const ROOTS = 'roots'

/** In the directory of a run: names of what it uses of the above, so that it is not removed meanwhile. */
export const USED = 'uses'

/** Held while roots are made and claimed, or removed. */
export const lockRoots = (home: string) => lockFile(join(home, ROOTS, '.lock'))

/**
 * The files of an image as directories (lowest first), none of which may be written to: each layer is unpacked once per machine. Where a layer removes or
 * only touches what is below it, all are put together in one. They stay for as long as `run`, the directory of a run, does.
 * Throws a `Problem` (`LAYER_REFUSED`, `TAR_MALFORMED`, …).
 */
export async function openImageRoot(
  image: StoredImage,
  home: string,
  run: string,
  report: Report,
): Promise<readonly string[]> {
  const roots = join(home, ROOTS)
  await using _ = await lockRoots(home)
  const layers: UnpackedLayer[] = []
  for (const layer of image.layers) layers.push(await unpackOnce(layer, roots, report))
  const plain = layers.every(({ notes }, index) => index === 0 || isPlain(notes))
  const directories = layers.map(({ directory }) => directory)
  const fits = plain && directories.length > 0 && directories.join(':').length < LONGEST
  const lower = fits ? directories : [await mergeOnce(image, layers, roots, report)]
  await writeFile(join(run, USED), lower.map(path => relative(roots, path).split('/')[0]).join('\n'))
  return lower
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

/** Unpacks a layer below the directory of all roots, unless that was done before. Called while `lockRoots` is held. */
export async function unpackOnce(
  { diffId, uncompressed }: Pick<Layer, 'diffId' | 'uncompressed'>,
  roots: string,
  report: Report,
): Promise<UnpackedLayer> {
  const place = await once(join(roots, `layer-${hexOf(diffId)}`), async directory => {
    using progress = report.progress(`unpacking layer ${hexOf(diffId).slice(0, 12)}`, undefined)
    const tree = join(directory, 'tree')
    await mkdir(tree, { mode: 0o755 })
    const hash = createHash('sha256')
    const counted = async function* () {
      for await (const chunk of await uncompressed()) {
        progress.add((chunk as Buffer).length)
        hash.update(chunk as Buffer)
        yield chunk as Buffer
      }
    }
    const notes = await unpackLayer(counted(), tree)
    // What is unpacked here is found by its name from now on, whoever gave it that name.
    if (`sha256:${hash.digest('hex')}` !== diffId) throw layerRefused('/', `it is not the layer ${diffId}`)
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
  roots: string,
  report: Report,
): Promise<string> {
  const chain = hexOf(digestOf(image.layers.map(({ diffId }) => diffId).join(' ')))
  return await once(join(roots, `root-${chain}`), async directory => {
    using _ = report.progress(`putting ${layers.length} layers together`)
    await mergeTrees(layers, directory)
  })
}
