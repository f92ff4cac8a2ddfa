import { homedir } from 'node:os'
import { lifecycleMetadataOf, listedRunImages, rebaseImage } from '#lifecycle'
import { type LayoutStore, labelsOf, type StoredImage } from '#oci'
import type { Report } from '#std'
import { openBases } from './bases.ts'
import { NORMAL_TIME, sourceDateEpoch } from './created.ts'
import { findImage } from './find-image.ts'
import { openMachineArchive } from './machine-archive.ts'
import { runImageMissing } from './problems.ts'
import { shippedCatalog } from './shipped.ts'
import { openStore } from './store.ts'

/** What a rebase is asked for. */
export interface RebaseRequest {
  readonly name: string
  /** Default: the run image that the app's label names. */
  readonly runImage: string | undefined
  /** The image that is rebased, where the result gets another name. */
  readonly previousImage: string | undefined
  readonly force: boolean
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly report: Report
  readonly signal: AbortSignal
}

/** A rebased image. */
export interface RebasedImage {
  readonly image: StoredImage
  readonly runImage: string
  /** True if the app stood on that very base already. */
  readonly unchanged: boolean
}

/**
 * Puts another base under an image of the store; only a configuration and a manifest are written. Bases of slipway that are not in the store
 * yet are made on demand, from the lock that slipway ships. Throws a `Problem` (`IMAGE_MISSING`, `RUN_IMAGE_MISSING`, or what `rebaseImage` throws).
 */
export async function rebaseStored(request: RebaseRequest): Promise<RebasedImage> {
  const { name, previousImage = name, report, force } = request
  const store = openStore(request.home)
  await using _lease = await store.lease()
  const app = await findImage(store, previousImage)
  const run = await findRunImage(request, store, listedRunImages(lifecycleMetadataOf(app, previousImage)))
  const rebased = rebaseImage({
    app,
    appName: previousImage,
    runImage: run.image,
    runImageName: run.name,
    reference: `${run.name.replace(/:[^/:]*$/, '')}@${run.image.digest}`,
    force,
    created: createdOf(app, request.environment),
    report,
  })
  if (request.runImage === undefined) warnIfOlder(app, run, report)
  const image = await store.write(rebased, [name])
  return { image, runImage: run.name, unchanged: image.digest === app.digest }
}

/** A base that nobody named by hand may be an old one that lies in the store; going back to it is hardly meant. */
function warnIfOlder(app: StoredImage, run: { name: string; image: StoredImage }, report: Report): void {
  const [ours = '', theirs = ''] = [app, run.image].map(image => labelsOf(image.config)[RELEASED])
  if (!/^\d{4}-\d\d-\d\d/.test(ours) || !/^\d{4}-\d\d-\d\d/.test(theirs) || theirs >= ours) return
  report.warn(
    `${run.name} of this store is of ${theirs}, older than the base of ${ours} that the app stood on; make a newer one with: slipway base build --newest ${run.name}`,
  )
}

/** When a base was released, ISO 8601 (CNB platform specification, "Base Image Metadata"). */
const RELEASED = 'io.buildpacks.base.released'

/** The first of the names that is in the store, or that slipway can make. */
async function findRunImage(request: RebaseRequest, store: LayoutStore, listed: readonly string[]) {
  const names = request.runImage === undefined ? listed : [request.runImage]
  for (const name of names) {
    const image = await store.image(name)
    if (image) return { name, image }
  }
  const catalog = shippedCatalog()
  for (const name of names) {
    if (!(await catalog.has(name))) continue
    await using archive = openMachineArchive({ ...request, userHome: homedir(), now: Date.now })
    const bases = openBases({ ...request, store, catalog, archive: archive.archive })
    const { reference, image } = await bases.image(await bases.find(name))
    return { name: reference, image }
  }
  throw runImageMissing(names)
}

/** The time that an image says it was created stays, unless another is asked for: a rebase gives the same bytes whenever it is done. */
function createdOf(app: StoredImage, environment: RebaseRequest['environment']): number {
  const given = sourceDateEpoch(environment)
  if (given !== undefined) return given
  const seconds = Date.parse(app.config.created ?? '') / 1000
  return Number.isFinite(seconds) ? Math.floor(seconds) : NORMAL_TIME
}
