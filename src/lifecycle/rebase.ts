import {
  LIFECYCLE_LABEL,
  type LifecycleMetadata,
  parseLifecycleMetadata,
  replaceRunImage,
  sameImage,
} from '#cnb'
import { type Image, type ImageConfig, labelsOf, rebaseLayers } from '#oci'
import { type Report, silent } from '#std'
import { listedRunImages, rebaseRefusals } from './rebase-checks.ts'
import { notBuilt } from './rebase-problems.ts'
import { timeText } from './time-text.ts'

/** What is rebased, and on what. */
export interface RebaseOptions {
  readonly app: Image
  /** What messages call it. */
  readonly appName: string
  /** The new base. */
  readonly runImage: Image
  /** The name by which it was chosen. */
  readonly runImageName: string
  /** How exactly it can be named: NAME@DIGEST. */
  readonly reference: string
  /** Goes on where a rule is broken that may be; each gives a warning. A name that the app does not list becomes the one that later rebases use. */
  readonly force?: boolean
  /** Seconds since 1970. */
  readonly created: number
  readonly report?: Report
}

/** Labels that describe the base, and so come from the new one. */
const OF_THE_BASE = /^io\.buildpacks\.(?:stack|base)\./

/** What the lifecycle wrote about an image. Throws a `Problem` (`REBASE_NOT_BUILT`, exit code 72) where it wrote nothing that can be read. */
export function lifecycleMetadataOf(image: Image, name: string): LifecycleMetadata {
  const label = labelsOf(image.config)[LIFECYCLE_LABEL]
  if (label === undefined) throw notBuilt(name, `it has no label ${LIFECYCLE_LABEL}`)
  try {
    return parseLifecycleMetadata(label, `the label ${LIFECYCLE_LABEL}`)
  } catch (error) {
    throw notBuilt(name, `its label ${LIFECYCLE_LABEL} cannot be read`, error)
  }
}

/**
 * The image with another base under its layers (CNB platform specification, "Rebaser"). The app's layers stay as they are, digest by
 * digest, and so does all that the image says about running; operating system, architecture, variant and the labels of the base come from the new
 * one. Nothing is read but configurations. Throws a `Problem` with exit code 72 that names the rule in the way.
 */
export function rebaseImage(options: RebaseOptions): Image {
  const { app, appName, runImage, runImageName, reference, force = false, report = silent } = options
  const metadata = lifecycleMetadataOf(app, appName)
  const { topLayer } = metadata.runImage
  const newTop = runImage.layers.at(-1)?.diffId
  if (topLayer === '') throw notBuilt(appName, 'its label does not say which layer is the top of its base')
  if (newTop === undefined) throw notBuilt(runImageName, 'it has no layers, so it is no base')
  const refusals = rebaseRefusals({ app, appName, metadata, runImage, runImageName })
  for (const { problem, canForce } of refusals) {
    if (!force || !canForce) throw problem
    report.warn(`${problem.what}: ${problem.why}. Going on because of --force.`)
  }
  const chosen = force && !listedRunImages(metadata).some(name => sameImage(name, runImageName))
  const rebased = rebaseLayers(app, topLayer as typeof newTop, runImage)
  const label = replaceRunImage(labelsOf(app.config)[LIFECYCLE_LABEL] as string, `the label of ${appName}`, {
    topLayer: newTop,
    reference,
    ...(chosen && { names: { image: runImageName } }),
  })
  return { ...rebased, config: rebasedConfig(rebased.config, runImage.config, label, options.created) }
}

function rebasedConfig(app: ImageConfig, base: ImageConfig, label: string, seconds: number): ImageConfig {
  const created = timeText(seconds)
  const { variant: _variant, 'os.version': _version, 'os.features': _features, ...kept } = app
  const ofBase = Object.fromEntries(
    ['os', 'architecture', 'variant', 'os.version', 'os.features']
      .filter(key => base[key] !== undefined)
      .map(key => [key, base[key]]),
  )
  return {
    ...(kept as ImageConfig),
    ...ofBase,
    created,
    history: (app.history ?? []).map(line => ({ ...line, created })),
    config: { ...app.config, Labels: rebasedLabels(app, base, label) },
  }
}

function rebasedLabels(app: ImageConfig, base: ImageConfig, label: string): Record<string, string> {
  const ofBase = Object.entries(labelsOf(base)).filter(([key]) => OF_THE_BASE.test(key))
  const others = Object.entries(labelsOf(app)).filter(([key]) => !OF_THE_BASE.test(key))
  return { ...Object.fromEntries([...ofBase, ...others]), [LIFECYCLE_LABEL]: label }
}
