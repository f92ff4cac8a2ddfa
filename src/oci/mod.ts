export {
  environmentOf,
  type History,
  type ImageConfig,
  labelsOf,
  parseConfig,
  type RunConfig,
} from './config.ts'
export {
  type Copied,
  type CopyOptions,
  type CopyPlace,
  copyImage,
  openSource,
  parsePlace,
  type Source,
} from './copy.ts'
export { type Descriptor, describeBytes, parseDescriptor } from './descriptor.ts'
export { type Addition, append, configure, historyPerLayer, label, withLayers } from './edit.ts'
export { emptyImage, type Image, type Layer, type StoredImage } from './image.ts'
export { parseManifest, printManifest } from './manifest.ts'
export { compressionOf, DOCKER, type Family, OCI } from './media-types.ts'
export { parseName, shortName } from './name.ts'
export { rebaseLayers } from './rebase.ts'
export type { Collected } from './store/collect.ts'
export { REF_NAME } from './store/index-file.ts'
export { type LayoutStore, type Listed, openExchange, openLayout } from './store/layout.ts'
export type { Lease } from './store/lease.ts'
export type { ImageStore } from './store/store.ts'
