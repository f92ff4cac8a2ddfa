import * as v from 'valibot'
import {
  BASE_ID_LABEL,
  compareApis,
  DISTRO_NAME_LABEL,
  DISTRO_VERSION_LABEL,
  type LifecycleMetadata,
  REBASABLE_LABEL,
  STACK_ID_LABEL,
  sameImage,
} from '#cnb'
import { environmentOf, type Image, type ImageConfig, labelsOf } from '#oci'
import { byBytes, check, type Problem, parseJson } from '#std'
import {
  distributionDiffers,
  notRebasable,
  platformDiffers,
  runImageUnlisted,
  stackDiffers,
} from './rebase-problems.ts'

const MIXINS_LABEL = 'io.buildpacks.stack.mixins'

/** A rule that a rebase would break. */
export interface Refusal {
  readonly problem: Problem
  /** True if a person may decide that the rule does not matter here. */
  readonly canForce: boolean
}

/** What is to be put under what. */
export interface RebasePair {
  readonly app: Image
  readonly appName: string
  readonly metadata: LifecycleMetadata
  readonly runImage: Image
  readonly runImageName: string
}

/**
 * Every rule of the reference's rebaser that this rebase would break (CNB platform specification, "Rebaser"); which rules hold for an image is
 * decided by the Platform API that it was built with. Decided on configurations and labels alone.
 */
export function rebaseRefusals(pair: RebasePair): Refusal[] {
  const rules = isFromBeforeTargets(pair.app.config)
    ? [stackRefusal(pair)]
    : [rebasableRefusal(pair), platformRefusal(pair), distributionRefusal(pair)]
  return [...rules, nameRefusal(pair)].filter(refusal => refusal !== undefined)
}

/** The names under which the label says that newer run images are found. */
export function listedRunImages({ runImage, stack }: LifecycleMetadata): string[] {
  const both = [runImage, stack?.runImage ?? {}]
  const names = both.flatMap(({ image, mirrors }) => [...(image ? [image] : []), ...(mirrors ?? [])])
  return [...new Set(names)]
}

function isFromBeforeTargets(config: ImageConfig): boolean {
  const api = environmentOf(config).get('CNB_PLATFORM_API')
  return api === undefined || !/^\d+\.\d+$/.test(api) || compareApis(api, '0.12') < 0
}

function rebasableRefusal({ app, appName }: RebasePair): Refusal | undefined {
  if (labelsOf(app.config)[REBASABLE_LABEL] !== 'false') return undefined
  return { problem: notRebasable(appName), canForce: true }
}

function platformRefusal({ app, appName, runImage }: RebasePair): Refusal | undefined {
  const [ours, theirs] = [app.config, runImage.config]
  const variantsAgree = !ours.variant || !theirs.variant || ours.variant === theirs.variant
  if (ours.os === theirs.os && ours.architecture === theirs.architecture && variantsAgree) return undefined
  return { problem: platformDiffers(appName, platformOf(ours), platformOf(theirs)), canForce: true }
}

/** A base that names a distribution fits only an app that was built on the same; one that names none fits all. */
function distributionRefusal({ app, appName, runImage }: RebasePair): Refusal | undefined {
  const [ours, theirs] = [labelsOf(app.config), labelsOf(runImage.config)]
  const differs = [DISTRO_NAME_LABEL, DISTRO_VERSION_LABEL].some(
    label => theirs[label] && theirs[label] !== ours[label],
  )
  if (!differs) return undefined
  return {
    problem: distributionDiffers(appName, distributionOf(ours), distributionOf(theirs)),
    canForce: true,
  }
}

/**
 * A base fits by name, or by contents: where both say that they are of one kind (`io.buildpacks.base.id`) and which packages they have (their
 * mixins), and the new one has every package that the old one had, it does not matter what it is called.
 */
function nameRefusal({ app, appName, metadata, runImage, runImageName }: RebasePair): Refusal | undefined {
  const listed = listedRunImages(metadata)
  if (listed.some(name => sameImage(name, runImageName))) return undefined
  const [ours, theirs] = [app.config, runImage.config].map(labelsOf) as [Labels, Labels]
  const comparable =
    ours[BASE_ID_LABEL] === theirs[BASE_ID_LABEL] && ours[MIXINS_LABEL] && theirs[MIXINS_LABEL]
  const missing = comparable ? missingMixins(app.config, runImage.config, appName) : []
  if (comparable && missing.length === 0) return undefined
  return { problem: runImageUnlisted(appName, runImageName, listed, missing), canForce: true }
}

type Labels = Readonly<Record<string, string>>

function stackRefusal({ app, appName, runImage }: RebasePair): Refusal | undefined {
  const [ours, theirs] = [app.config, runImage.config].map(config => labelsOf(config)[STACK_ID_LABEL] ?? '')
  const refuse = (why: string) => ({ problem: stackDiffers(appName, why), canForce: false })
  if (!ours) return refuse('it names no stack')
  if (!theirs) return refuse('the new base names no stack')
  if (ours !== theirs)
    return refuse(`it was built on the stack ${ours}, and the new base has the stack ${theirs}`)
  const missing = missingMixins(app.config, runImage.config, appName)
  return missing.length > 0 ? refuse(`the new base lacks the mixins ${missing.join(', ')}`) : undefined
}

/** Packages that the old base had by its label and the new one has not, sorted. */
function missingMixins(app: ImageConfig, base: ImageConfig, name: string): string[] {
  const offered = new Set(mixinsOf(base, name))
  return mixinsOf(app, name)
    .filter(mixin => !offered.has(mixin))
    .sort(byBytes)
}

/** The mixins of an image without the prefix of a stage (`run:`). */
function mixinsOf(config: ImageConfig, name: string): string[] {
  const text = labelsOf(config)[MIXINS_LABEL] ?? 'null'
  try {
    const list = check(v.nullable(v.array(v.string())), parseJson(text, MIXINS_LABEL), MIXINS_LABEL) ?? []
    return list.map(mixin => mixin.replace(/^(?:run|build):/, ''))
  } catch {
    throw stackDiffers(name, `the label ${MIXINS_LABEL} of it or of the new base is no list of names`)
  }
}

function platformOf({ os, architecture, variant }: ImageConfig): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

function distributionOf(labels: Readonly<Record<string, string>>): string {
  return [labels[DISTRO_NAME_LABEL], labels[DISTRO_VERSION_LABEL]].filter(Boolean).join(' ')
}
