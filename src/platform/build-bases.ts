import type { LayoutStore, StoredImage } from '#oci'
import type { BaseLock } from '#os'
import { type AppLock, lockedBase } from './app-lock.ts'
import { type BaseRoot, type Bases, machineArchitecture } from './bases.ts'
import { imageMissing, runImageElsewhere } from './problems.ts'

/** What a build stands on: the image that the app is put on, and the directory that buildpacks run in. */
export interface BuildBases {
  readonly run: {
    readonly image: StoredImage
    readonly name: string
    /** NAME@DIGEST. */
    readonly reference: string
  }
  readonly build: BaseRoot
  /** What of both is to be pinned. */
  readonly locks: readonly BaseLock[]
}

export interface BuildBasesOptions {
  readonly store: LayoutStore
  readonly bases: Bases
  readonly lock: AppLock
  readonly locked: boolean
  /** Default `slipway/run:base`. */
  readonly runImage: string | undefined
}

const RUN = 'slipway/run:base'
const BUILD = 'build:base'

/**
 * Finds or makes both bases. Those of slipway are built from exactly what `slipway.lock` pins, else from the newest signed packages;
 * any other run image has to be in the store. The build base is of the same release as the run base, so that what is compiled
 * on one runs on the other. Throws a `Problem` (`IMAGE_MISSING`, `RUN_IMAGE_PLATFORM`, or what making a base throws).
 */
export async function buildBases(options: BuildBasesOptions): Promise<BuildBases> {
  const { store, bases, runImage = RUN } = options
  const named = await bases.find(runImage).catch(error => {
    if (runImage.startsWith('slipway/')) throw error
    return undefined
  })
  const release = named?.release
  const buildBase = await bases.find(release === undefined ? BUILD : `${BUILD}-${release}`)
  const choose = (name: string, of: string) => ({
    lock: lockedBase(options.lock, name, of, machineArchitecture()),
    pin: 'newest' as const,
    locked: options.locked,
  })
  if (!named) {
    const image = await store.image(runImage)
    if (!image) throw imageMissing(runImage)
    checkPlatform(runImage, image)
    const build = await bases.root(buildBase, choose(buildBase.recipe.name, buildBase.release))
    return { run: placed(runImage, image), build, locks: [build.lock] }
  }
  // The name itself belongs to whoever asks for that base; a build takes it only where nobody has.
  const names = (await store.resolve(named.reference)) ? [] : undefined
  const [run, build] = await Promise.all([
    bases.image(named, choose(named.recipe.name, named.release), names),
    bases.root(buildBase, choose(buildBase.recipe.name, buildBase.release)),
  ])
  return { run: placed(run.reference, run.image), build, locks: [run.lock, build.lock] }
}

function placed(name: string, image: StoredImage): BuildBases['run'] {
  const bare = name.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  return { name, image, reference: `${bare}@${image.digest}` }
}

function checkPlatform(name: string, { config }: StoredImage): void {
  const wanted = `linux/${machineArchitecture()}`
  const found = `${config.os}/${config.architecture}`
  if (found !== wanted) throw runImageElsewhere(name, found, wanted)
}
