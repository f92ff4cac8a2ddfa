import { join } from 'node:path'
import type { Analyzed } from '#cnb'
import { analyze, extractLayer } from '#lifecycle'
import type { StoredImage } from '#oci'
import { Problem, removeTree } from '#std'
import { moveDocument, readRunImages } from './documents.ts'
import { type Images, registriesOf } from './images.ts'
import type { PhaseInputs } from './inputs.ts'
import type { PhaseContext } from './phase-context.ts'
import { imageUnreadable, inputInvalid, runImageMissing } from './problems.ts'
import { chooseRunImage } from './run-image.ts'

const ANALYZE = 32

/** The image that a phase is told to make. Throws a `Problem` (`PHASE_INPUT_INVALID`, exit code 3). */
export function outputImage({ positionals }: PhaseInputs): string {
  const [name] = positionals
  if (positionals.length !== 1 || !name)
    throw inputInvalid(
      `it was given ${positionals.length} images, and needs one`,
      'Name the image to make, after all flags.',
    )
  return name
}

/** Every image of a build has to be in one registry, since one image cannot be written to two at once. Throws a `Problem` (exit code 3). */
export function requireOneRegistry({ daemon }: PhaseInputs, names: readonly string[]): void {
  const registries = registriesOf(names)
  if (!daemon && registries.length > 1)
    throw inputInvalid(
      `the images are in several registries: ${registries.join(', ')}`,
      'Write to one registry, and copy the image afterwards.',
    )
}

/**
 * The analyzer (CNB platform specification): finds the previous image and the run image, and writes analyzed.toml. Bills of materials of the previous
 * image are unpacked to `<layers>/sbom/launch` for the restorer. A run image that is not there is noticed here, not when all has been built.
 * Throws a `Problem` (exit code 3 for inputs, 32).
 */
export async function analyzePhase(context: PhaseContext): Promise<Analyzed> {
  const { inputs, log, places } = context
  const output = outputImage(inputs)
  requireOneRegistry(inputs, [output, ...inputs.tags])
  if (inputs.launchCache !== undefined && !inputs.daemon)
    log.warn('Ignoring -launch-cache, only intended for use with -daemon')
  const images = await context.images()
  const runImages = inputs.runImage === undefined ? await readRunImages(inputs) : []
  const runName = await chooseRunImage(inputs.runImage, runImages, output, name => images.canRead(name))
  const previousName = inputs.previousImage ?? output
  for (const [what, name] of [
    ['previous image', previousName],
    ['run image', runName],
  ] as const)
    if (!(await images.canRead(name))) throw imageUnreadable(what, name, ANALYZE)
  for (const name of [output, ...inputs.tags]) await images.requireWrite(name)
  const run = await opened('run image', images, runName)
  if (!run) throw runImageMissing(runName, ANALYZE)
  const previous = await previousImage(context, images, previousName)
  const analyzed = await analyze({
    report: log,
    places,
    run: { image: run, name: runName, reference: images.identify(runName, run) },
    ...(previous && { previous: { image: previous, reference: images.identify(previousName, previous) } }),
  })
  await unpackBills(context, analyzed, previous)
  await moveDocument(join(places.layers.host, 'analyzed.toml'), inputs.analyzed)
  return analyzed
}

async function opened(what: string, images: Images, name: string): Promise<StoredImage | undefined> {
  try {
    return await images.find(name)
  } catch (error) {
    if (error instanceof Problem && error.exitCode !== 3) throw imageUnreadable(what, name, ANALYZE, error)
    throw error
  }
}

/** One that is not there, or of which layers have gone, is as good as none. */
async function previousImage(
  { log }: PhaseContext,
  images: Images,
  name: string,
): Promise<StoredImage | undefined> {
  const image = await opened('previous image', images, name)
  if (!image) {
    log.line(`Image with name ${JSON.stringify(name)} not found`)
    return undefined
  }
  for (const layer of images.kind === 'registry' ? image.layers.slice(-1) : []) {
    if (await images.store.has(layer)) continue
    log.line(`Ignoring image ${JSON.stringify(name)} because it was corrupt`)
    return undefined
  }
  return image
}

async function unpackBills(
  { inputs, places, log }: PhaseContext,
  { metadata }: Analyzed,
  previous: StoredImage | undefined,
): Promise<void> {
  const place = {
    host: join(places.layers.host, 'sbom/launch'),
    inside: `${places.layers.inside}/sbom/launch`,
  }
  await removeTree(join(places.layers.host, 'sbom'))
  const layer = previous?.layers.find(({ diffId }) => diffId === metadata.sbom?.sha)
  if (inputs.skipLayers || !layer) return
  try {
    await extractLayer(await layer.uncompressed(), place)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    log.warn(`The bills of materials of the previous image cannot be restored: ${error.why}`)
  }
}
