import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Report, silent } from '#std'
import { readDockerArchive, writeDockerArchive } from './docker-archive.ts'
import type { Image, Layer, StoredImage } from './image.ts'
import { notInLayout } from './problems.ts'
import { type LayoutStore, openLayout } from './store/layout.ts'

/** Where an image can be copied from or to. */
export type CopyPlace =
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'oci'; readonly directory: string; readonly tag: string | undefined }
  | { readonly kind: 'docker-archive'; readonly file: string; readonly name: string | undefined }

/** Reads `NAME`, `oci:DIR[:TAG]` or `docker-archive:FILE[:NAME]` (the spelling of containers-transports(5)). */
export function parsePlace(text: string, workingDirectory: string): CopyPlace {
  const archive = /^docker-archive:([^:]+)(?::(.+))?$/.exec(text)
  if (archive) return { kind: 'docker-archive', file: resolve(workingDirectory, archive[1] as string), name: archive[2] }
  const layout = /^oci:([^:]+)(?::(.+))?$/.exec(text)
  if (layout) return { kind: 'oci', directory: resolve(workingDirectory, layout[1] as string), tag: layout[2] }
  return { kind: 'store', name: text }
}

/**
 * Copies one image, blobs as they are, both digests of each layer checked on the way into a layout. Returns the image at its new
 * place. Throws a `Problem` if there is no such image or what is read is damaged.
 */
export async function copyImage(store: LayoutStore, from: CopyPlace, to: CopyPlace, report: Report = silent): Promise<StoredImage> {
  await using source = await openSource(store, from)
  const { image, name } = source
  if (to.kind === 'docker-archive') return writeDockerArchive(image, to.file, to.name ?? name)
  if (to.kind === 'oci') await mkdir(to.directory, { recursive: true })
  const target = to.kind === 'store' ? store : openLayout(to.directory)
  await using _lease = await target.lease()
  const layers: Layer[] = []
  for (const layer of image.layers) {
    using progress = report.progress(`copying ${layer.blob.digest.slice(0, 19)}`, layer.blob.size)
    layers.push(await target.importLayer(layer))
    progress.add(layer.blob.size)
  }
  return target.write({ ...image, layers }, [to.kind === 'store' ? to.name : (to.tag ?? 'latest')].map(nameInLayout))
}

/** A bare tag such as `1.2` is a fine name in a layout, and no name of a repository; it stays as it is given. */
function nameInLayout(name: string): string {
  return name
}

interface Source extends AsyncDisposable {
  readonly image: Image
  readonly name: string
}

async function openSource(store: LayoutStore, from: CopyPlace): Promise<Source> {
  if (from.kind === 'docker-archive') return readDockerArchive(from.file, from.name)
  const layout = from.kind === 'store' ? store : openLayout(from.directory)
  const names = (await layout.list()).map(each => each.name)
  const name = from.kind === 'store' ? from.name : (from.tag ?? (names.length === 1 ? names[0] : undefined))
  const image = name === undefined ? undefined : await layout.image(name)
  if (!image) throw notInLayout(from.kind === 'store' ? from.name : `oci:${from.directory}${name ? `:${name}` : ''}`, names)
  return { image, name: name as string, [Symbol.asyncDispose]: async () => {} }
}
