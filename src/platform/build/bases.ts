import type { LayoutStore, StoredImage } from '#oci'
import { type BaseLock, CNB } from '#os'
import type { BaseRoot, Bases } from '../bases/bases.ts'
import { type Builder, distroIn } from '../builder/builder.ts'
import type { BuildRoot } from '../builder/root.ts'
import { builderRunImage } from '../builder/run-image.ts'
import type { ForeignImages } from '../images/foreign-image.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { runImageElsewhere } from '../problems.ts'
import { type AppLock, lockedBase } from './app-lock.ts'

/** What a build stands on: the image that the app is put on, and the directory that buildpacks run in. */
export interface BuildBases {
  readonly run: {
    readonly image: StoredImage
    readonly name: string
    /** NAME@DIGEST. */
    readonly reference: string
    /** Where copies of it are. */
    readonly mirrors: readonly string[]
  }
  readonly build: BuildRoot
  /** The distribution of what buildpacks run in, for a run image that does not say its own. */
  readonly distro: { readonly name: string; readonly version: string } | undefined
  /** What of both is to be pinned. */
  readonly locks: readonly BaseLock[]
}

export interface BuildBasesOptions {
  readonly store: LayoutStore
  readonly bases: Bases
  readonly lock: AppLock
  readonly locked: boolean
  /** Default `slipway/run:base`, or what the builder says. */
  readonly runImage: string | undefined
  /** In place of slipway's own build base. */
  readonly builder?: Builder | undefined
  readonly images: ForeignImages
}

const RUN = 'slipway/run:base'
const BUILD = 'build:base'

/**
 * Finds or makes both bases. Those of slipway are built from exactly what `slipway.lock` pins, else from the newest signed packages;
 * any other run image has to be in the store. The build base is of the same release as the run base, so that what is compiled
 * on one runs on the other. Throws a `Problem` (`IMAGE_MISSING`, `RUN_IMAGE_PLATFORM`, or what making a base throws).
 */
export async function buildBases(options: BuildBasesOptions): Promise<BuildBases> {
  const { store, bases, builder, runImage = RUN } = options
  if (builder) return await builderBases(builder, options)
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
    const image = await options.images.run(runImage)
    checkPlatform(runImage, image)
    const build = await bases.root(buildBase, choose(buildBase.recipe.name, buildBase.release))
    return { run: placed(runImage, image), ...ownBase(build), locks: [build.lock] }
  }
  // The name itself belongs to whoever asks for that base; a build takes it only where nobody has.
  const names = (await store.resolve(named.reference)) ? [] : undefined
  const [run, build] = await Promise.all([
    bases.image(named, choose(named.recipe.name, named.release), names),
    bases.root(buildBase, choose(buildBase.recipe.name, buildBase.release)),
  ])
  return { run: placed(run.reference, run.image), ...ownBase(build), locks: [run.lock, build.lock] }
}

/** The root of a builder with the run image that it names, or that the person does. */
async function builderBases(builder: Builder, options: BuildBasesOptions): Promise<BuildBases> {
  const { image, name, mirrors } = await builderRunImage(builder, options)
  checkPlatform(name, image)
  const { root } = builder
  return {
    run: placed(name, image, mirrors),
    build: root,
    distro: await distroIn(root.directory),
    locks: [],
  }
}

function ownBase({ directory, settings }: BaseRoot): Pick<BuildBases, 'build' | 'distro'> {
  const variables = settings.config.Env.map((entry): [string, string] => {
    const equals = entry.indexOf('=')
    return [entry.slice(0, equals), entry.slice(equals + 1)]
  })
  const environment = Object.fromEntries(variables)
  return { build: { directory, environment, user: { ...CNB, home: '/home/cnb' } }, distro: undefined }
}

function placed(name: string, image: StoredImage, mirrors: readonly string[] = []): BuildBases['run'] {
  const bare = name
    .replace(/^docker:\/\//, '')
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
  return { name: name.replace(/^docker:\/\//, ''), image, reference: `${bare}@${image.digest}`, mirrors }
}

function checkPlatform(name: string, { config }: StoredImage): void {
  const wanted = `linux/${machineArchitecture()}`
  const found = `${config.os}/${config.architecture}`
  if (found !== wanted) throw runImageElsewhere(name, found, wanted)
}
