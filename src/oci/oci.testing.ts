import { tmpdir } from 'node:os'
import { packTar, type TarEntry, temporaryDirectory } from '#std'
import { append } from './edit.ts'
import { emptyImage, type Image } from './image.ts'
import { type LayoutStore, openLayout } from './store/layout.ts'

/** A store in a directory of its own, gone when disposed. */
export async function temporaryStore(): Promise<
  AsyncDisposable & { readonly store: LayoutStore; readonly path: string }
> {
  const directory = await temporaryDirectory(tmpdir(), 'slipway-oci-')
  const { path } = directory
  return {
    store: openLayout(`${path}/images`),
    path,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

/** The tar of a layer with these files. */
export function layerOf(files: Readonly<Record<string, string | Uint8Array>>) {
  return packTar(
    Object.entries(files).map(([name, text]): TarEntry => {
      const content = Buffer.from(text)
      return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, size: content.length, content }
    }),
  )
}

/** An image in a store's making: one layer for each table of files, with a line of history that says its number. */
export async function imageOf(
  store: LayoutStore,
  ...layers: readonly Readonly<Record<string, string | Uint8Array>>[]
): Promise<Image> {
  let image = emptyImage('linux', 'amd64')
  for (const [index, files] of layers.entries()) {
    const layer = await store.addLayer(() => layerOf(files))
    image = append(image, [{ layer, history: { created_by: `layer ${index + 1}` } }])
  }
  return image
}

/** Bytes that compress badly and are the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    bytes[index] = state >> 16
  }
  return bytes
}
