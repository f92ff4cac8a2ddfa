import { type Digest, Problem, printable, redact } from '#std'

export const addressRefused = (host: string, what: string, why: string) =>
  new Problem('REGISTRY_ADDRESS', {
    what: `Cannot follow ${host} to ${what}`,
    why,
    fix: 'Ask who runs the registry; its own address (for a server behind a proxy, its external URL) is configured wrongly, or something answers in its place.',
  })

export const unauthorized = (place: string, why: string, fix: string) =>
  new Problem('REGISTRY_UNAUTHORIZED', { what: `Cannot use ${place}`, why, fix })

export const denied = (place: string, said: string) =>
  new Problem('REGISTRY_DENIED', {
    what: `Cannot use ${place}`,
    why: `the registry refuses it to this user${said}`,
    fix: 'Check the name of the repository, and that your account may do this there; `slipway doctor registry HOST` shows who you are to it.',
  })

export const refused = (place: string, what: string, status: number, said: string) =>
  new Problem('REGISTRY_REFUSED', {
    what: `Cannot ${what} ${place}`,
    why: `the registry answered with status ${status}${said}`,
    fix:
      status === 429
        ? 'The registry limits how often it is asked. Log in, wait, or configure a mirror.'
        : status >= 500
          ? 'The registry is in trouble. Try again later.'
          : 'Check the address; `slipway doctor registry HOST` looks at each step.',
  })

export const confused = (place: string, why: string, cause?: unknown) =>
  new Problem('REGISTRY_ANSWER_INVALID', {
    what: `Cannot use what ${place} answers`,
    why,
    fix: 'Check that the address is that of a registry and not of a login page or a proxy; `slipway doctor registry HOST` looks at each step.',
    cause,
  })

export const interrupted = (place: string, cause: unknown) =>
  new Problem('REGISTRY_INTERRUPTED', {
    what: `Cannot finish with ${place}`,
    why: `the connection broke off again and again (${redact(cause instanceof Error ? cause.message : String(cause))})`,
    fix: 'Try again; what is there already is not sent twice. If it stays so, check the network and the proxy.',
    cause,
  })

export const contentDiffers = (place: string, wanted: Digest, found: string) =>
  new Problem('REGISTRY_CONTENT_DIFFERS', {
    what: `Cannot use ${place}`,
    why: `the registry sent ${found} where ${wanted} was due`,
    fix: 'Do not trust that content. Try again; if it stays so, the registry or something before it alters what it sends.',
  })

export const manifestUnsupported = (place: string, mediaType: string) =>
  new Problem('MANIFEST_UNSUPPORTED', {
    what: `Cannot use ${place}`,
    why: `it is ${JSON.stringify(printable(mediaType).slice(0, 100))}, and neither an image nor an index of images`,
    fix: 'Name an image; very old ones have to be pushed again by their maker.',
  })

export const manifestTooLarge = (place: string, size: number) =>
  new Problem('MANIFEST_TOO_LARGE', {
    what: `Cannot use ${place}`,
    why: `its manifest has ${size} bytes or more, and registries need to take no more than 4 MiB`,
    fix: 'Have the image made with fewer layers and shorter annotations.',
  })

export const tagsPartial = (written: readonly string[], missing: readonly string[], cause: unknown) =>
  new Problem('REGISTRY_TAGS_PARTIAL', {
    what: `Cannot write ${missing.join(', ')}`,
    why: `${cause instanceof Error ? cause.message : String(cause)}; written before it: ${written.join(', ')}`,
    fix: 'Remove the cause and publish again; what is there already is not sent twice.',
    cause,
  })

export const undeletable = (place: string, tag: boolean) =>
  new Problem('REGISTRY_CANNOT_DELETE', {
    what: `Cannot delete ${place}`,
    why: tag
      ? 'this registry deletes no single tags, only an image with all of its tags'
      : 'this registry deletes nothing, or is not set up to',
    fix: tag
      ? 'Name the image by its digest (NAME@sha256:…) if all of its tags shall go.'
      : 'Ask who runs it; Docker Distribution needs storage.delete.enabled.',
  })

export const otherRegistry = (text: string, registry: string) =>
  new Problem('REGISTRY_OTHER', {
    what: `Cannot write ${text}`,
    why: `it is not in ${registry}, where the other names are, and all names of one image have to be in one registry`,
    fix: 'Copy the image to the other registry once it is there: slipway copy docker://NAME docker://OTHER',
    exitCode: 3,
  })
