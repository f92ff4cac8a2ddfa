import { join } from 'node:path'
import { printReport } from '#cnb'
import { lifecycleMetadataOf, listedRunImages, rebaseImage, withExitCode } from '#lifecycle'
import { type ImageStore, type LayoutStore, labelsOf, parseReference, type StoredImage } from '#oci'
import { Problem, type Report, writeDurably } from '#std'
import { NORMAL_TIME, sourceDateEpoch } from '../build/created.ts'
import { findImage } from '../images/find-image.ts'
import { openImageWays } from '../images/image-ways.ts'
import { findRegistryImage, nearestFirst, type RemoteImage } from '../images/registry-image.ts'
import { bareName, hasHost } from '../images/registry-names.ts'
import { imageNowhere, runImageMissing } from '../problems.ts'
import { openStore } from '../store.ts'

/** What a rebase is asked for. */
export interface RebaseRequest {
  readonly name: string
  /** In a registry, where nothing but a configuration and a manifest moves. */
  readonly publish: boolean
  /** Default: the run image that the app's label names. */
  readonly runImage: string | undefined
  /** The image that is rebased, where the result gets another name. */
  readonly previousImage: string | undefined
  readonly force: boolean
  /** Hosts of registries that may be spoken to without TLS. */
  readonly insecureRegistries: readonly string[]
  /** The directory that gets report.toml. */
  readonly reportDirectory: string | undefined
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

/** Exit code of a failed rebase (CNB platform specification, "Rebaser"). */
const REBASE = 72

/** Where the image is that is rebased, and its bases are found. */
interface Ground {
  readonly store: ImageStore
  readonly local: LayoutStore
  readonly app: StoredImage
  remote(name: string): Promise<RemoteImage | undefined>
  /** The registry that the image is in. */
  readonly registry: string | undefined
}

/**
 * Puts another base under an image of the store, or of a registry; only a configuration and a manifest are written, and layers that a registry has are mounted. Bases of
 * slipway that are not in the store yet are made on demand, from the lock that slipway ships. Throws a `Problem` (`IMAGE_MISSING`, `RUN_IMAGE_MISSING`, or what
 * `rebaseImage` throws).
 */
export async function rebaseStored(request: RebaseRequest): Promise<RebasedImage> {
  const { name, previousImage = name, report, force, reportDirectory } = request
  const local = openStore(request.home)
  await using _lease = await local.lease()
  await using ways = openImageWays({ ...request, insecure: request.insecureRegistries })
  const remote = (wanted: string) => findRegistryImage(ways.registries, wanted)
  const early = request.publish && request.runImage !== undefined ? remote(request.runImage) : undefined
  early?.catch(() => {})
  const ground = { local, remote, ...(await openApp()) }
  const { app, store } = ground
  const listed = listedRunImages(lifecycleMetadataOf(app, previousImage))
  const run = await withExitCode(REBASE, () => findRunImage(request, ground, listed, early))
  const rebased = rebaseImage({
    app,
    appName: previousImage,
    runImage: run.image,
    runImageName: run.name,
    reference: run.reference,
    force,
    created: createdOf(app, request.environment),
    report,
  })
  if (request.runImage === undefined) warnIfOlder(app, run, report)
  for (const layer of request.publish ? [] : run.image.layers)
    if (layer.origin) await store.importLayer(layer)
  const image = await store.write(rebased, [name])
  if (reportDirectory !== undefined) {
    const { digest, manifestSize } = image
    const text = printReport({ tags: [name], digest, manifestSize })
    await writeDurably(join(reportDirectory, 'report.toml'), text)
  }
  return { image, runImage: run.name, unchanged: image.digest === app.digest }

  async function openApp(): Promise<Pick<Ground, 'app' | 'store' | 'registry'>> {
    if (!request.publish)
      return { app: await findImage(local, previousImage), store: local, registry: undefined }
    const found = await remote(previousImage)
    if (!found) throw imageNowhere(previousImage)
    const target = ways.registries.store(parseReference(name.replace(/^docker:\/\//, '')))
    return { app: found.image, store: target, registry: target.place.registry }
  }
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

interface FoundRunImage {
  readonly name: string
  readonly image: StoredImage
  /** NAME@DIGEST. */
  readonly reference: string
}

/**
 * The first of the names that is there: copies in the registry of the app first, then the store, then what slipway can make, then any registry. A name without a registry is one of
 * the store before it is one of Docker Hub.
 */
async function findRunImage(
  request: RebaseRequest,
  { local, remote, registry }: Ground,
  listed: readonly string[],
  early: Promise<RemoteImage | undefined> | undefined,
): Promise<FoundRunImage> {
  const names = request.runImage === undefined ? nearestFirst(listed, registry) : [request.runImage]
  const failures: Problem[] = []
  const ask = async (name: string): Promise<FoundRunImage | undefined> => {
    try {
      const found = await (name === request.runImage && early ? early : remote(name))
      return found && { name: bareName(name), image: found.image, reference: found.reference }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      // A name without a registry is first of all one of the store: that Docker Hub gives no answer says little.
      if (hasHost(name)) failures.push(error)
      return undefined
    }
  }
  const near = names.filter(name => registry !== undefined && hasHost(name))
  for (const name of near) {
    const found = await ask(name)
    if (found) return found
  }
  for (const name of names) {
    const image = name.startsWith('docker://') ? undefined : await local.image(name)
    if (image) return { name, image, reference: referenceOf(name, image) }
  }
  const { makeBase } = await import('./base.ts')
  const made = await makeBase({ ...request, store: local }, names)
  if (made) return { ...made, reference: referenceOf(made.name, made.image) }
  for (const name of names.filter(each => !near.includes(each) && !each.startsWith('slipway/'))) {
    const found = await ask(name)
    if (found) return found
  }
  if (failures[0]) throw failures[0]
  throw runImageMissing(names)
}

function referenceOf(name: string, { digest }: StoredImage): string {
  return `${name.replace(/@.*$/, '').replace(/:[^/:]*$/, '')}@${digest}`
}

/** The time that an image says it was created stays, unless another is asked for: a rebase gives the same bytes whenever it is done. */
function createdOf(app: StoredImage, environment: RebaseRequest['environment']): number {
  const given = sourceDateEpoch(environment)
  if (given !== undefined) return given
  const seconds = Date.parse(app.config.created ?? '') / 1000
  return Number.isFinite(seconds) ? Math.floor(seconds) : NORMAL_TIME
}
