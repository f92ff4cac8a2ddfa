import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type LayerDocument, type LayerName, parseLayer, parseLayerName } from '#cnb'
import { removeTree } from '#std'
import { isDirectoryItself, listUntrusted, readUntrustedText } from './untrusted.ts'

/** A layer that a buildpack declared. */
export interface DeclaredLayer extends LayerDocument {
  readonly name: LayerName
}

const DOCUMENTS = ['build.toml', 'launch.toml', 'store.toml']

/**
 * The layers that a buildpack declared, in the byte order of their files' names (`a-b.toml` before `a.toml`). The directory of one that is for
 * nothing gets the name `<layer>.ignore`. Throws a `Problem`.
 */
export async function readLayers(directory: string, buildpack: string): Promise<DeclaredLayer[]> {
  const layers: DeclaredLayer[] = []
  for (const { name: file, kind } of await listUntrusted(directory)) {
    if (kind === 'directory' || !file.endsWith('.toml') || DOCUMENTS.includes(file)) continue
    const name = parseLayerName(file.slice(0, -'.toml'.length), buildpack)
    const text = (await readUntrustedText(join(directory, file))) ?? ''
    const layer = { name, ...parseLayer(text, `${file} of ${buildpack}`) }
    if (!layer.types.launch && !layer.types.build && !layer.types.cache) await setAside(join(directory, name))
    layers.push(layer)
  }
  return layers
}

async function setAside(layer: string): Promise<void> {
  if (!(await isDirectoryItself(layer))) return
  await removeTree(`${layer}.ignore`)
  await rename(layer, `${layer}.ignore`)
}
