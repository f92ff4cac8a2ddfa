/** Kinds of components, in the words of CycloneDX 1.6. */
export const COMPONENT_TYPES = [
  'application',
  'framework',
  'library',
  'container',
  'platform',
  'operating-system',
  'device',
  'device-driver',
  'firmware',
  'file',
  'machine-learning-model',
  'data',
  'cryptographic-asset',
] as const

export type ComponentType = (typeof COMPONENT_TYPES)[number]

/** Names of hash algorithms that both CycloneDX and SPDX know, as CycloneDX spells them. */
export const HASH_NAMES = ['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'] as const

export type HashName = (typeof HASH_NAMES)[number]

/** One thing that an image is made of, as plain data; the same whether it is printed as CycloneDX or as SPDX. */
export interface Component {
  readonly type: ComponentType
  readonly name: string
  /** Empty where it is not known. */
  readonly version: string
  /** What stands before the name, such as a Maven group or an npm scope. */
  readonly group?: string
  /** Package URL (ECMA-427); see `purl`. */
  readonly purl?: string
  /** CPE 2.3 names, the best first. */
  readonly cpes?: readonly string[]
  /** SPDX license ids or expressions, else names as found. */
  readonly licenses?: readonly string[]
  /** Hex digits by algorithm, of the package as it was fetched. */
  readonly hashes?: Readonly<Partial<Record<HashName, string>>>
  /** Who supplied it, such as `Debian`. */
  readonly supplier?: string
  /** Anything else worth keeping, such as `io.slipway.layer`. */
  readonly properties?: Readonly<Record<string, string>>
}

/** The property that names the layer a component is in. */
export const LAYER_PROPERTY = 'io.slipway.layer'

/** A bill of materials: what something is made of. */
export interface Bill {
  /** What the bill is about. */
  readonly subject?: Component
  /** ISO 8601; the time of what is described, never that of printing. */
  readonly created?: string
  readonly components: readonly Component[]
}
