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
  type CopyWays,
  copyImage,
  openSource,
  parsePlace,
  type Source,
} from './copy.ts'
export { basicHeader, type Credential } from './credentials/credential.ts'
export { type Keychain, openKeychain } from './credentials/keychain.ts'
export { type Descriptor, describeBytes, parseDescriptor } from './descriptor.ts'
export type { ArchivedImage } from './docker-archive/read.ts'
export { writeDockerArchive } from './docker-archive/write.ts'
export { type Addition, append, configure, historyPerLayer, label, withLayers } from './edit.ts'
export { emptyImage, type Image, type Layer, type StoredImage } from './image.ts'
export { fileBytes, isLayoutArchive, readLayoutArchive } from './layout-archive/read.ts'
export { writeLayoutArchive } from './layout-archive/write.ts'
export { parseManifest, printManifest } from './manifest.ts'
export { compressionOf, DOCKER, type Family, OCI } from './media-types.ts'
export { parseName, parseRefName, shortName } from './name.ts'
export { rebaseLayers } from './rebase.ts'
export {
  DEFAULT_REGISTRY,
  parseReference,
  parseRegistry,
  printReference,
  type Reference,
  type Repository,
  withTag,
} from './reference.ts'
export type { Collected } from './store/collect.ts'
export { type DaemonAddress, findDaemon } from './store/daemon/address.ts'
export type { ConnectSocket } from './store/daemon/connection.ts'
export { type DaemonOptions, DaemonStore, type DaemonStoredImage } from './store/daemon/daemon.ts'
export { openDaemon } from './store/daemon/open.ts'
export type { ImageDocuments } from './store/image-documents.ts'
export { REF_NAME } from './store/index-file.ts'
export { type LayoutStore, type Listed, openExchange, openLayout } from './store/layout.ts'
export type { Lease } from './store/lease.ts'
export { type DocumentMemory, openDocumentMemory } from './store/registry/document-memory.ts'
export type { RegistryHost } from './store/registry/host.ts'
export { type LayerMemory, openLayerMemory, type Remembered } from './store/registry/layer-memory.ts'
export { deleteReference, listRepositories, listTags } from './store/registry/listing.ts'
export type { Platform } from './store/registry/platform.ts'
export { listReferrers, type Referrer } from './store/registry/referrers.ts'
export { openRegistries, type Registries, type RegistriesOptions } from './store/registry/registries.ts'
export type { RegistryStore } from './store/registry/registry-store.ts'
export type { ImageStore } from './store/store.ts'
