import { type ImageStore, parseReference, type StoredImage } from '#oci'
import type { PhaseInputs } from './inputs.ts'
import { LayoutImages } from './layout-images.ts'
import { experimental, inputInvalid } from './problems.ts'

/** Where a phase reads and writes images: a registry, a daemon, or layouts on disk. */
export interface Images {
  readonly kind: 'registry' | 'daemon' | 'layout'
  readonly store: ImageStore
  /** How exactly an image can be named, as labels and analyzed.toml have it. */
  identify(name: string, image: StoredImage): string
  /** True if the image can be read with the credentials at hand; one that is not there counts as readable, as in the reference. */
  canRead(name: string): Promise<boolean>
  /** Throws a `Problem` unless an image of this name may be written. */
  requireWrite(name: string): Promise<void>
}

/** What images are opened with besides the inputs. */
export interface ImagesGround {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly warn: (text: string) => void
  readonly signal?: AbortSignal
}

/**
 * Opens the place that the inputs name. `target` is the image that will be written first. Throws a `Problem` (`PHASE_EXPERIMENTAL`, `PHASE_INPUT_INVALID`).
 */
export async function openImages(inputs: PhaseInputs, target: string, ground: ImagesGround): Promise<Images> {
  if (inputs.layout) return openLayoutImages(inputs, target, ground)
  throw inputInvalid('registries and daemons are not there yet', 'Use -layout.')
}

function openLayoutImages({ layoutDirectory }: PhaseInputs, target: string, ground: ImagesGround): Images {
  const mode = ground.environment.CNB_EXPERIMENTAL_MODE || 'error'
  if (mode === 'error') throw experimental('images on disk (-layout)')
  if (mode !== 'quiet' && mode !== 'silent')
    ground.warn('Platform requested experimental feature: export to OCI layout format')
  if (layoutDirectory === undefined)
    throw inputInvalid('-layout needs a directory', 'Name it with -layout-dir or CNB_LAYOUT_DIR.')
  const store = new LayoutImages(layoutDirectory, target)
  return {
    kind: 'layout',
    store,
    identify: (name, image) => store.identify(name, image),
    canRead: async () => true,
    requireWrite: async () => {},
  }
}

/** The registries of references, each once. */
export function registriesOf(names: readonly string[]): string[] {
  return [...new Set(names.map(name => parseReference(name).registry))]
}
