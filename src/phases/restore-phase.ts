import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Analyzed, atLeast, findRunImage, type Group, printAnalyzed } from '#cnb'
import { restore, runTarget } from '#lifecycle'
import { removeTree } from '#std'
import { openCache, sayNoCache } from './caches.ts'
import { NOT_ANALYZED, readRunImages } from './documents.ts'
import type { PhaseContext } from './phase-context.ts'
import { runImageMissing } from './problems.ts'

const RESTORE = 42

/**
 * The restorer (CNB platform specification): gives buildpacks back what earlier builds kept for them. It also settles the run image if an image extension
 * chose another. Throws a `Problem` (exit code 42, 32).
 */
export async function restorePhase(
  context: PhaseContext,
  group: Group,
  found: Analyzed | undefined,
): Promise<void> {
  const { inputs, log, places, signal } = context
  if (inputs.phase === 'restorer') sayNoCache(inputs, log)
  const analyzed = found ?? NOT_ANALYZED
  const cache = await openCache(context)
  await restore({
    ...{ report: log, signal, places, group, analyzed, ...(cache && { cache }) },
    ...{ platformApi: inputs.api, skipLayers: inputs.skipLayers },
    // The analyzer has unpacked them already.
    launchBills: join(places.layers.host, 'sbom/launch'),
  })
  await removeTree(join(places.layers.host, 'sbom'))
}

/** Looks at the run image once more: since Platform API 0.14 whether it can still be read, and what it is if an extension has named it meanwhile. */
export async function settleRunImage(context: PhaseContext, group: Group, analyzed: Analyzed): Promise<void> {
  const { inputs } = context
  const { image, reference, target } = analyzed.runImage
  const name = image ?? reference
  if (name === '') return
  const mustLook = group.extensions.length > 0 && target.os === ''
  if (!mustLook && !(atLeast(inputs.api, '0.14') && findRunImage(await readRunImages(inputs), name))) return
  const images = await context.images()
  if (!(await images.canRead(name))) throw runImageMissing(name, RESTORE)
  if (!mustLook) return
  const run = await images.find(name)
  if (!run) throw runImageMissing(name, RESTORE)
  const runImage = { image: name, reference: images.identify(name, run), target: runTarget(run.config, name) }
  await writeFile(inputs.analyzed, printAnalyzed({ ...analyzed, runImage }))
}
