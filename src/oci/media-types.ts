/** Media types of image parts: OCI image-spec media-types.md, and Docker's distribution manifest v2, schema 2. */
export const OCI = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

export const DOCKER = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** The family that an image's parts belong to; slipway never mixes them in one image. */
export type Family = 'oci' | 'docker'

/** How the bytes of a layer blob are packed. */
export type Compression = 'gzip' | 'zstd' | 'none'

/** True for the media types of an index (image-spec image-index.md) and of Docker's manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI.index || mediaType === DOCKER.index
}

/** The packing that a layer's media type names; undefined for types that are no layer. */
export function compressionOf(mediaType: string): Compression | undefined {
  if (
    !/^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar)/.test(
      mediaType,
    )
  )
    return undefined
  if (/[.+]gzip$/.test(mediaType)) return 'gzip'
  if (/[.+]zstd$/.test(mediaType)) return 'zstd'
  return mediaType.endsWith('tar') ? 'none' : undefined
}
