import type { Target } from '#cnb'
import { environmentOf, type Image } from '#oci'
import type { Architecture } from '#os'
import { openBases } from '../bases/bases.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { shippedCatalog } from '../shipped.ts'
import type { PackagingContext } from './context.ts'
import { builderWrong } from './problems.ts'

/** The image that a builder stands on, and who its builds run as. */
export interface BuilderBase {
  readonly name: string
  readonly image: Image
  readonly owner: { readonly uid: number; readonly gid: number }
}

/**
 * The image to build in: a base of slipway's (`build:base`, `slipway/build:base-bookworm`), made if it is not in the store, or any other image.
 * Throws a `Problem` (`BUILDER_CONFIG_INVALID`, `MODULE_MISSING`, or what making the base throws).
 */
export async function buildImageOf(
  name: string,
  target: Target,
  context: PackagingContext,
): Promise<BuilderBase> {
  const image = (await ownBase(name, target, context)) ?? (await context.image(name))
  const environment = environmentOf(image.config)
  const number = (variable: string) => {
    const text = environment.get(variable)
    if (text === undefined || !/^\d{1,9}$/.test(text))
      throw builderWrong(
        name,
        text === undefined ? `the image sets no ${variable}` : `its ${variable} is ${JSON.stringify(text)}`,
        'A build image has CNB_USER_ID and CNB_GROUP_ID in its environment: the numbers of the user that builds.',
      )
    return Number(text)
  }
  return { name, image, owner: { uid: number('CNB_USER_ID'), gid: number('CNB_GROUP_ID') } }
}

/** A base of the catalog, by its name, as an image of the store. */
export async function ownBase(
  name: string,
  { arch }: Target,
  { store, options, sources, report }: PackagingContext,
): Promise<Image | undefined> {
  if (!/^(?:slipway\/)?(?:build|run):[a-z0-9-]+$/.test(name)) return undefined
  const catalog = shippedCatalog()
  const archive = async () => (await sources()).archive()
  const bases = openBases({ home: options.home, store, catalog, archive, report })
  const wanted = (arch ?? machineArchitecture()) as Architecture
  const base = await bases.find(name)
  return (await bases.image(base, { arch: base.arch ?? wanted })).image
}
