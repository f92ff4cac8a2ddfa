import {
  BASE_ID_LABEL,
  BUILD_LABEL,
  type BuildLabel,
  DISTRO_NAME_LABEL,
  DISTRO_VERSION_LABEL,
  EXEC_ENV_LABEL,
  LIFECYCLE_LABEL,
  type LifecycleMetadata,
  NO_METADATA,
  parseBuildLabel,
  parseLifecycleMetadata,
  REBASABLE_LABEL,
  STACK_ID_LABEL,
} from '#cnb'
import { type ImageConfig, labelsOf, type StoredImage } from '#oci'
import type { Digest } from '#std'
import { sizeOf } from '../images/find-image.ts'
import { type InspectedLayer, layersOf } from './layers.ts'
import { type InspectedProcess, processesOf } from './processes.ts'

/** A buildpack or extension that took part. */
export interface InspectedModule {
  readonly id: string
  readonly version: string
  readonly homepage?: string
}

/** What the labels of a build say; absent from images that no buildpacks made. */
export interface InspectedBuild {
  readonly stack: string
  readonly base: { readonly reference: string; readonly topLayer: string }
  readonly runImages: readonly string[]
  readonly rebasable: boolean
  readonly buildpacks: readonly InspectedModule[]
  readonly extensions: readonly InspectedModule[]
  readonly processes: readonly InspectedProcess[]
  readonly execEnv?: string
}

/** What an image is made of. Texts come from the image as they are: they are not yet fit for a terminal. */
export interface Inspected {
  readonly name: string
  readonly digest: Digest
  readonly size: number
  /** ISO 8601, as the image says it. */
  readonly created?: string
  readonly target: {
    readonly os: string
    readonly architecture: string
    readonly variant?: string
    readonly distribution?: { readonly name: string; readonly version: string }
  }
  readonly user?: string
  /** Set for base images of buildpacks: the id of the base, or of the stack. */
  readonly baseId?: string
  readonly build?: InspectedBuild
  readonly layers: readonly InspectedLayer[]
}

/** Reads what an image is made of, whoever made it and wherever it is. Throws a `Problem` (`DOCUMENT_INVALID`, `JSON_MALFORMED`) where a label cannot be read. */
export function inspectImage(image: StoredImage, name: string): Inspected {
  const { config } = image
  const labels = labelsOf(config)
  const metadata = read(labels[LIFECYCLE_LABEL], parseLifecycleMetadata, LIFECYCLE_LABEL)
  const build = read(labels[BUILD_LABEL], parseBuildLabel, BUILD_LABEL)
  const { created } = config
  const user = config.config?.User
  const baseId = labels[BASE_ID_LABEL] ?? labels[STACK_ID_LABEL]
  return {
    name,
    digest: image.digest,
    size: sizeOf(image),
    ...(created && { created }),
    target: targetOf(config),
    ...(user && { user }),
    ...(!(metadata || build) && baseId && { baseId }),
    ...((metadata || build) && { build: buildOf(config, metadata, build) }),
    layers: layersOf(image, metadata),
  }
}

function read<Value>(
  text: string | undefined,
  parse: (text: string, source: string) => Value,
  label: string,
): Value | undefined {
  return text === undefined ? undefined : parse(text, `the label ${label}`)
}

function targetOf(config: ImageConfig): Inspected['target'] {
  const { os, architecture, variant } = config
  const labels = labelsOf(config)
  const name = labels[DISTRO_NAME_LABEL]
  const distribution = name === undefined ? undefined : { name, version: labels[DISTRO_VERSION_LABEL] ?? '' }
  return { os, architecture, ...(variant && { variant }), ...(distribution && { distribution }) }
}

function buildOf(
  config: ImageConfig,
  metadata: LifecycleMetadata | undefined,
  build: BuildLabel | undefined,
): InspectedBuild {
  const labels = labelsOf(config)
  const { runImage, stack } = metadata ?? NO_METADATA
  const names = runImage.image ? runImage : (stack?.runImage ?? {})
  const execEnv = labels[EXEC_ENV_LABEL]
  return {
    stack: labels[STACK_ID_LABEL] ?? '',
    base: { reference: runImage.reference, topLayer: runImage.topLayer },
    runImages: [names.image, ...(names.mirrors ?? [])].filter((each): each is string => !!each),
    rebasable: labels[REBASABLE_LABEL] !== 'false',
    buildpacks: build?.buildpacks ?? [],
    extensions: build?.extensions ?? [],
    processes: build ? processesOf(build, config) : [],
    ...(execEnv && { execEnv }),
  }
}
