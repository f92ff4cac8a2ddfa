import { lifecycleMetadataOf, rebaseImage } from '#lifecycle'
import { requireOneRegistry } from './analyze-phase.ts'
import { creationTime, writeReport } from './export-phase.ts'
import type { PhaseContext } from './phase-context.ts'
import { imageUnreadable, inputInvalid, runImageMissing } from './problems.ts'
import { chooseMirror } from './run-image.ts'

const REBASE = 72

/**
 * The rebaser (CNB platform specification): puts the layers of an app on another base. The base is the one that is named, else the best mirror of the one that the
 * app's label names. Throws a `Problem` (exit code 3 for inputs, 72).
 */
export async function rebasePhase(context: PhaseContext): Promise<void> {
  const { inputs, log } = context
  const [output] = inputs.positionals
  if (!output) throw inputInvalid('no image is named', 'Name the image to rebase, after all flags.')
  requireOneRegistry(inputs, inputs.positionals)
  const images = await context.images()
  await using _lease = await images.store.lease()
  const appName = inputs.previousImage ?? output
  const app = await images.find(appName)
  if (!app) throw imageUnreadable('image', appName, REBASE)
  const runName = inputs.runImage ?? (await listedRunImage(context, app, appName))
  const run = await images.find(runName)
  if (!run) throw runImageMissing(runName, REBASE)
  const rebased = rebaseImage({
    ...{ app, appName, runImage: run, runImageName: runName, reference: images.identify(runName, run) },
    ...{ force: inputs.force, created: creationTime(inputs.sourceDateEpoch, log), report: log },
  })
  const layers = []
  for (const layer of rebased.layers)
    layers.push((await images.store.has(layer)) ? layer : await images.store.importLayer(layer))
  log.line(`Saving ${output}...`)
  const written = await images.store.write({ ...rebased, layers }, inputs.positionals)
  log.line(`*** Images (${written.digest}):`)
  for (const name of inputs.positionals) log.line(`      ${name}`)
  await writeReport(context, images, written, inputs.positionals)
}

async function listedRunImage(
  context: PhaseContext,
  app: Parameters<typeof lifecycleMetadataOf>[0],
  appName: string,
): Promise<string> {
  const { runImage, stack } = lifecycleMetadataOf(app, appName)
  const listed = runImage.image ? runImage : stack?.runImage
  if (!listed?.image) throw inputInvalid('the image names no run image', 'Name one with -run-image.')
  const images = await context.images()
  return chooseMirror({ image: listed.image, mirrors: listed.mirrors ?? [] }, appName, name =>
    images.canRead(name),
  )
}
