import { PackageURL } from 'packageurl-js'
import { Problem } from '#std'

/** The parts of a package URL (ECMA-427). */
export interface PurlParts {
  /** `deb`, `maven`, `npm`, `generic`, … */
  readonly type: string
  readonly namespace?: string
  readonly name: string
  readonly version?: string
  readonly qualifiers?: Readonly<Record<string, string>>
  readonly subpath?: string
}

/** Prints a package URL in its canonical form: encoded, normalised as its type asks, qualifiers sorted. */
export function purl({ type, namespace, name, version, qualifiers, subpath }: PurlParts): string {
  return new PackageURL(
    type,
    namespace,
    name,
    version,
    qualifiers ? { ...qualifiers } : undefined,
    subpath,
  ).toString()
}

/** Reads a package URL. Throws a `Problem` (`PURL_INVALID`). */
export function parsePurl(text: string): PurlParts {
  try {
    const { type, namespace, name, version, qualifiers, subpath } = PackageURL.fromString(text)
    return {
      type: type as string,
      name: name as string,
      ...(namespace && { namespace }),
      ...(version && { version }),
      ...(qualifiers && { qualifiers: { ...qualifiers } as Record<string, string> }),
      ...(subpath && { subpath }),
    }
  } catch (cause) {
    throw new Problem('PURL_INVALID', {
      what: `Cannot use the package URL ${JSON.stringify(text.slice(0, 200))}`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Package URLs look like pkg:maven/org.example/shop@1.2.',
      cause,
    })
  }
}
