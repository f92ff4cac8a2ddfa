import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Analyzed, atLeast, type Group, type ImageReport, printReport } from '#cnb'
import { exportCache, exportImage, NORMAL_TIME } from '#lifecycle'
import type { StoredImage } from '#oci'
import { type Report, writeDurably } from '#std'
import { requireOneRegistry } from './analyze-phase.ts'
import { openCache, sayNoCache } from './caches.ts'
import { readBuildMetadata, readProject, readRunImages } from './documents.ts'
import type { Images } from './images.ts'
import type { PhaseInputs } from './inputs.ts'
import type { PhaseContext } from './phase-context.ts'
import { imageUnreadable, inputInvalid, runImageMissing } from './problems.ts'
import { runImageNames } from './run-image.ts'
import { LIFECYCLE_VERSION } from './version.ts'

const EXPORT = 62

/** What an exporter cannot do without. Throws a `Problem` (`PHASE_INPUT_INVALID`, exit code 3). */
export function exportInputs(
  inputs: PhaseInputs,
  analyzed: Analyzed | undefined,
): { names: readonly [string, ...string[]]; analyzed: Analyzed; found: string } {
  const [name, ...others] = inputs.positionals
  if (!name) throw inputInvalid('no image is named', 'Name the image to make, after all flags.')
  const names = [name, ...(inputs.phase === 'exporter' ? others : inputs.tags)] as const
  requireOneRegistry(inputs, names)
  if (inputs.phase === 'exporter' && inputs.runImageByFlag)
    throw inputInvalid(
      '-run-image is for the analyzer',
      'Name the run image there; the exporter takes it from analyzed.toml.',
    )
  const found = analyzed?.runImage.reference
  if (!analyzed || !found)
    throw inputInvalid(
      `${inputs.analyzed} names no run image`,
      'Run the analyzer first, with the same layers directory.',
    )
  return { names, analyzed, found }
}

/**
 * The exporter (CNB platform specification): makes the image, writes report.toml, and keeps the layers that are for the cache. What goes wrong with the
 * cache is a warning. Throws a `Problem` (exit code 3 for inputs, 62).
 */
export async function exportPhase(
  context: PhaseContext,
  group: Group,
  given: Analyzed | undefined,
): Promise<StoredImage> {
  const { inputs, log, places, rules } = context
  const { names, analyzed, found } = exportInputs(inputs, given)
  if (inputs.phase === 'exporter') sayNoCache(inputs, log)
  const images = await context.images()
  const run = await images.find(found)
  if (!run) throw runImageMissing(found, EXPORT)
  const previous = await previousOf(images, analyzed, log)
  const metadata = await readBuildMetadata(inputs)
  const runNames = runImageNames(
    await readRunImages(inputs),
    analyzed.runImage.image ?? found,
    metadata.extensions.length > 0,
  )
  await rm(inputs.report, { force: true })
  const exported = await exportImage({
    ...{ store: images.store, names, places, rules, metadata, report: log },
    platformApi: inputs.api,
    runImage: { image: run, reference: found, ...(runNames && { names: runNames }) },
    ...(previous && { previous: { image: previous, metadata: analyzed.metadata } }),
    buildpacks: group.buildpacks,
    project: await readProject(inputs),
    launcher: {
      choice: 'always',
      file: async () => inputs.launcher,
      info: { version: LIFECYCLE_VERSION },
      sboms: async () => inputs.launcherSbom,
    },
    ...(inputs.processType !== undefined && { processType: inputs.processType }),
    // The label is known since Platform API 0.15.
    execEnv: atLeast(inputs.api, '0.15') ? inputs.execEnv : '',
    created: creationTime(inputs.sourceDateEpoch, log),
  })
  await writeReport(context, images, exported.image, names)
  const cache = await openCache(context)
  if (cache) await exportCache({ cache, places, rules, buildpacks: group.buildpacks, report: log })
  return exported.image
}

/** Seconds since 1970 (reproducible-builds.org, SOURCE_DATE_EPOCH). What is no number is passed over with a warning, as in the reference. */
export function creationTime(text: string | undefined, report: Report): number {
  if (text === undefined) return NORMAL_TIME
  if (/^[+-]?\d{1,12}$/.test(text)) return Number(text)
  report.warn('Ignoring invalid SOURCE_DATE_EPOCH')
  return NORMAL_TIME
}

/** Writes report.toml: a digest for a registry, an id for a daemon, neither for a layout. */
export async function writeReport(
  { inputs }: PhaseContext,
  { kind }: Pick<Images, 'kind'>,
  image: StoredImage,
  names: readonly string[],
): Promise<void> {
  const report: ImageReport = {
    tags: names,
    ...(kind === 'registry' && { digest: image.digest, manifestSize: image.manifestSize }),
    ...(kind === 'daemon' && { imageId: image.digest.replace('sha256:', '') }),
  }
  await mkdir(dirname(inputs.report), { recursive: true })
  await writeDurably(inputs.report, printReport(report))
}

async function previousOf(
  images: Images,
  { previousImage }: Analyzed,
  log: Report,
): Promise<StoredImage | undefined> {
  if (!previousImage) return undefined
  const image = await images.find(previousImage).catch(error => {
    throw imageUnreadable('previous image', previousImage, EXPORT, error)
  })
  if (!image) return undefined
  log.line(`Reusing layers from image '${previousImage}'`)
  images.reuse(image)
  return image
}
