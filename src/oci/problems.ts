import { type Digest, Problem } from '#std'

export const blobDamaged = (digest: Digest) =>
  new Problem('BLOB_DAMAGED', {
    what: `Cannot use the content ${digest}`,
    why: 'its bytes are not those that the digest names, or not as many',
    fix: 'The disk or the sender altered them. Remove the image (slipway rm) and build or copy it again.',
  })

export const blobMissing = (digest: Digest, image: string) =>
  new Problem('BLOB_MISSING', {
    what: `Cannot use the image ${image}`,
    why: `the store has no content ${digest}, which the image is made of`,
    fix: 'Remove the image (slipway rm) and build or copy it again.',
  })

export const nameInvalid = (name: string, why: string) =>
  new Problem('NAME_INVALID', {
    what: `Cannot use the image name ${JSON.stringify(name.slice(0, 200))}`,
    why,
    fix: 'Names look like shop, team/shop:1.2 or registry.example/team/shop:1.2: lower-case letters, digits, and . _ - within a part.',
    exitCode: 3,
  })

export const referenceInvalid = (text: string, why: string) =>
  new Problem('REFERENCE_INVALID', {
    what: `Cannot use the image reference ${JSON.stringify(text.slice(0, 200))}`,
    why,
    fix: 'References look like registry.example/team/shop:1.2 or registry.example/team/shop@sha256:…; names without a host are on Docker Hub.',
    exitCode: 3,
  })

export const layerUnsupported = (mediaType: string) =>
  new Problem('LAYER_UNSUPPORTED', {
    what: 'Cannot read a layer',
    why: `slipway does not know layers of type ${JSON.stringify(mediaType.slice(0, 100))}`,
    fix: 'Have the image made with gzip or plain tar layers.',
  })

export const documentTooLarge = (place: string, size: number) =>
  new Problem('DOCUMENT_TOO_LARGE', {
    what: `Cannot read ${place}`,
    why: `it has ${size} bytes, and no manifest, configuration or index of an image is that large`,
    fix: 'Get the image again from where it came; if it stays so, its maker has to mend it.',
  })

export const layerDamaged = (digest: Digest, cause: unknown) =>
  new Problem('LAYER_DAMAGED', {
    what: `Cannot unpack the layer ${digest}`,
    why: 'it is no whole stream of the packing that its image names',
    fix: 'Get the image again from where it came; if it stays so, its maker has to mend it.',
    cause,
  })

export const layerDiffers = (wanted: Digest, found: Digest) =>
  new Problem('LAYER_DIFFERS', {
    what: 'Cannot take over a layer',
    why: `its image says that it unpacks to ${wanted}, and it unpacks to ${found}`,
    fix: 'Whoever made or sent the image altered it. Get it again from where it came.',
  })

export const archiveUnusable = (file: string, why: string, cause?: unknown) =>
  new Problem('ARCHIVE_UNUSABLE', {
    what: `Cannot use ${file} as a Docker archive`,
    why,
    fix: 'Make it again with `docker save -o FILE IMAGE` or `slipway copy IMAGE docker-archive:FILE`.',
    cause,
  })

export const platformMissing = (place: string, wanted: string, found: readonly string[]) =>
  new Problem('PLATFORM_MISSING', {
    what: `Cannot choose an image of ${place}`,
    why: `it holds images for ${found.slice(0, 20).join(', ') || 'no platform'}, and none for ${wanted}`,
    fix: 'Copy it from its maker with that platform alone.',
    exitCode: 3,
  })

export const layoutUnusable = (place: string, why: string, cause?: unknown) =>
  new Problem('LAYOUT_UNUSABLE', {
    what: `Cannot use ${place} as an OCI image layout`,
    why,
    fix: 'Check the path. If it was an image layout once, make it anew from where the images came.',
    cause,
  })

export const notInLayout = (place: string, names: readonly string[]) =>
  new Problem('NOT_IN_LAYOUT', {
    what: `Cannot find the image ${place}`,
    why: names.length === 0 ? 'there are no images there' : `there are: ${names.slice(0, 20).join(', ')}`,
    fix: 'Name one of those.',
    exitCode: 3,
  })
