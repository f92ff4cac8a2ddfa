import { type Digest, Problem } from '#std'
import { historyPerLayer, withLayers } from './edit.ts'
import type { Image } from './image.ts'

/**
 * Takes every layer up to and including the first whose diffID is `topLayer` from the new base, and keeps all above.
 * Only layers and their history change. Throws a `Problem` (`OCI_NOT_BASED_ON`, exit code 72).
 */
export function rebaseLayers(image: Image, topLayer: Digest, base: Image): Image {
  const cut = image.layers.findIndex(layer => layer.diffId === topLayer)
  if (cut < 0) {
    throw new Problem('OCI_NOT_BASED_ON', {
      what: 'Cannot rebase the image',
      why: `none of its layers is ${topLayer}, which its label names as the top of its base`,
      fix: 'Rebuild the image; its layers or its label were changed after it was built.',
      exitCode: 72,
    })
  }
  const layers = [...base.layers, ...image.layers.slice(cut + 1)]
  return withLayers(image, layers, [...historyPerLayer(base), ...historyPerLayer(image).slice(cut + 1)])
}
