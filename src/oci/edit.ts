import type { History, ImageConfig, RunConfig } from './config.ts'
import type { Image, Layer } from './image.ts'

/** A layer to put on top, with the line of history that says who made it. */
export interface Addition {
  readonly layer: Layer
  readonly history: History
}

/** The image with further layers on top. One history line per layer, always. */
export function append(image: Image, additions: readonly Addition[]): Image {
  const layers = [...image.layers, ...additions.map(each => each.layer)]
  const history = [...historyPerLayer(image), ...additions.map(each => each.history)]
  return withLayers(image, layers, history)
}

/** The image with other run settings; keys that are not named stay, keys set to undefined go. */
export function configure(
  image: Image,
  change: { readonly [Key in keyof RunConfig]?: RunConfig[Key] | undefined },
): Image {
  const merged = { ...image.config.config, ...change }
  const config = Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== undefined),
  ) as RunConfig
  return { ...image, config: { ...image.config, config } }
}

/** The image with labels set; those that are not named stay. */
export function label(image: Image, labels: Readonly<Record<string, string>>): Image {
  return configure(image, { Labels: { ...image.config.config?.Labels, ...labels } })
}

/** The image with these layers and one history line for each. */
export function withLayers(image: Image, layers: readonly Layer[], history: readonly History[]): Image {
  if (layers.length !== history.length)
    throw new Error(`${layers.length} layers have ${history.length} lines of history`)
  const config: ImageConfig = {
    ...image.config,
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history,
  }
  return { ...image, config, layers }
}

/**
 * One history line for each layer: lines about empty layers go, and where the lines do not match the layers there are blank
 * ones, as the reference library does.
 */
export function historyPerLayer(image: Image): readonly History[] {
  const lines = (image.config.history ?? []).filter(line => line.empty_layer !== true)
  return lines.length === image.layers.length ? lines : image.layers.map(() => ({}))
}
