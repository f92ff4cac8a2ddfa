import type { ImageConfig } from '../config.ts'
import { type Descriptor, describeBytes } from '../descriptor.ts'
import type { Image, StoredImage } from '../image.ts'
import { printManifest } from '../manifest.ts'
import { compressionOf, DOCKER, type Family, OCI } from '../media-types.ts'

/** The bytes that an image is written as. */
export interface ImageDocuments {
  readonly manifest: Buffer
  readonly config: Buffer
}

/** Prints an image's configuration and manifest; equal images give equal bytes, whatever store they are for. */
export function documentsOf(image: Image): ImageDocuments {
  const types = image.family === 'oci' ? OCI : DOCKER
  const config = Buffer.from(JSON.stringify(image.config))
  const layers = image.layers.map(({ blob }) => layerDescriptor(blob, image.family))
  const manifest = printManifest({
    family: image.family,
    config: describeBytes(types.config, config),
    layers,
    ...(image.annotations && { annotations: image.annotations }),
  })
  return { manifest, config }
}

/** What a store says of an image with these documents. */
export function describedBy({ manifest, config }: ImageDocuments): Omit<StoredImage, keyof Image> {
  const [written, configuration] = [describeBytes('', manifest), describeBytes('', config)]
  return {
    digest: written.digest,
    manifestSize: written.size,
    configDigest: configuration.digest,
    configSize: configuration.size,
  }
}

/** The index of images, one for each platform. */
export function indexDocument(images: readonly StoredImage[]): {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
} {
  const manifests = images.map(({ family, digest, manifestSize, config }) => ({
    mediaType: family === 'oci' ? OCI.manifest : DOCKER.manifest,
    digest,
    size: manifestSize,
    platform: platformOf(config),
  }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI.index, manifests }))
  return { descriptor: describeBytes(OCI.index, bytes), bytes }
}

/** The platform of a configuration, as indexes name it (image-spec image-index.md). */
export function platformOf({ architecture, os, variant }: ImageConfig): Record<string, unknown> {
  return { architecture, os, ...(variant !== undefined && { variant }) }
}

function layerDescriptor(blob: Descriptor, family: Family): Descriptor {
  const gzipped = compressionOf(blob.mediaType) === 'gzip'
  return { ...blob, mediaType: gzipped ? (family === 'oci' ? OCI : DOCKER).layer : blob.mediaType }
}
