import { documentInvalid } from './problems.ts'

/**
 * Where a buildpack is, as commands and files name it. `bare` text is settled by looking: a path that exists, else an id in the builder,
 * else an id in a buildpack registry, else the reference of an image.
 */
export type BuildpackLocator =
  | { readonly kind: 'from-builder' }
  | { readonly kind: 'builder-id'; readonly id: string; readonly version?: string }
  | { readonly kind: 'registry-id'; readonly id: string; readonly version?: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'bare'; readonly text: string }

const BUILDER = /^(?:urn:cnb:builder|from=builder):(.+)$/
const REGISTRY = /^urn:cnb:registry:(.+)$/

/** Reads a locator (CNB, "Buildpack locators"; as pack reads it). Throws a `Problem` (`DOCUMENT_INVALID`). */
export function parseBuildpackLocator(text: string): BuildpackLocator {
  if (text === '') throw documentInvalid('a buildpack', 'it is said by an empty text where it is')
  if (text === 'from=builder') return { kind: 'from-builder' }
  const inBuilder = BUILDER.exec(text)?.[1]
  if (inBuilder !== undefined) return { kind: 'builder-id', ...idAndVersion(inBuilder) }
  const inRegistry = REGISTRY.exec(text)?.[1]
  if (inRegistry !== undefined) return { kind: 'registry-id', ...idAndVersion(inRegistry) }
  if (/^file:/i.test(text)) return { kind: 'path', path: pathOf(text) }
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: text }
  const image = /^docker:\/{0,2}(.+)$/.exec(text)?.[1]
  if (image !== undefined) return { kind: 'image', reference: image }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    throw documentInvalid(
      `the buildpack ${JSON.stringify(text)}`,
      'nothing is known of such addresses',
      'Use file:, https:// or docker://.',
    )
  return { kind: 'bare', text }
}

/** True if bare text may be an id of a buildpack registry: `namespace/name`, perhaps with `@version`. */
export function mayBeRegistryId(text: string): boolean {
  return /^[a-z0-9.-]+\/[a-z0-9.-]+(?:@\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)?$/.test(text)
}

/** Splits `id[@version]`. */
export function idAndVersion(text: string): { id: string; version?: string } {
  const [id = '', version, ...more] = text.split('@')
  if (more.length > 0 || id === '')
    throw documentInvalid(`the buildpack ${JSON.stringify(text)}`, 'it has not the form ID@VERSION')
  return { id, ...(version && { version }) }
}

function pathOf(text: string): string {
  try {
    return decodeURIComponent(new URL(text).pathname)
  } catch {
    throw documentInvalid(`the buildpack ${JSON.stringify(text)}`, 'it is not a file: address')
  }
}
