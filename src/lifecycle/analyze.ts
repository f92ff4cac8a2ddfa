import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Analyzed,
  BASE_ID_LABEL,
  DISTRO_NAME_LABEL,
  DISTRO_VERSION_LABEL,
  LIFECYCLE_LABEL,
  type LifecycleMetadata,
  NO_METADATA,
  parseLifecycleMetadata,
  printAnalyzed,
  type RunTarget,
} from '#cnb'
import { type ImageConfig, labelsOf, type StoredImage } from '#oci'
import { Problem, type Report } from '#std'
import type { Places } from './executor.ts'
import { runImageTargetUnknown } from './problems.ts'

/** What analysis is handed. Which images are meant, and whether they can be read, the platform has found out. */
export interface AnalyzeOptions {
  readonly report: Report
  readonly places: Pick<Places, 'layers'>
  /** The image that an earlier build made, if there is one. */
  readonly previous?: { readonly image: StoredImage; readonly reference: string }
  readonly run: {
    readonly image: StoredImage
    /** By digest. */
    readonly reference: string
    /** As it was asked for. */
    readonly name: string
  }
}

/**
 * Finds out what an earlier build left and what the run image is (CNB platform specification, "analyzer"), and writes
 * `<layers>/analyzed.toml`. A previous image without a label that can be read counts as one without layers. Throws a `Problem`
 * (`RUN_IMAGE_UNUSABLE`, exit code 32).
 */
export async function analyze({ report, places, previous, run }: AnalyzeOptions): Promise<Analyzed> {
  const analyzed: Analyzed = {
    previousImage: previous?.reference ?? '',
    metadata: previous ? previousMetadata(previous.image, previous.reference, report) : NO_METADATA,
    runImage: { reference: run.reference, image: run.name, target: runTarget(run.image.config, run.name) },
  }
  await mkdir(places.layers.host, { recursive: true })
  await writeFile(join(places.layers.host, 'analyzed.toml'), printAnalyzed(analyzed))
  if (previous) report.detail(`Previous image: ${previous.reference}`)
  report.detail(`Run image: ${run.name} (${run.reference})`)
  return analyzed
}

/** What an image is, by its configuration and the labels of its base. Throws a `Problem` (`RUN_IMAGE_UNUSABLE`). */
export function runTarget(config: ImageConfig, name: string): RunTarget {
  if (!config.os) throw runImageTargetUnknown(name)
  const labels = labelsOf(config)
  const id = labels[BASE_ID_LABEL]
  const distro = { name: labels[DISTRO_NAME_LABEL] ?? '', version: labels[DISTRO_VERSION_LABEL] ?? '' }
  return {
    ...(id && { id }),
    os: config.os,
    arch: config.architecture,
    ...(config.variant && { variant: config.variant }),
    ...((distro.name || distro.version) && { distro }),
  }
}

function previousMetadata(image: StoredImage, reference: string, report: Report): LifecycleMetadata {
  const label = labelsOf(image.config)[LIFECYCLE_LABEL]
  if (label === undefined) return NO_METADATA
  try {
    return parseLifecycleMetadata(label, `the label ${LIFECYCLE_LABEL} of ${reference}`)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    report.warn(`${error.what}: ${error.why}. The image is built as if there were no earlier one.`)
    return NO_METADATA
  }
}
