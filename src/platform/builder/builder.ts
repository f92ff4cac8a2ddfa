import {
  BUILDER_LABEL,
  MIXINS_LABEL,
  type OrderDocument,
  parseBuilderMetadata,
  parseOrder,
  parseRun,
  parseStack,
  parseSystem,
  type RunImage,
  runImagesOf,
  type SystemBuildpacks,
} from '#cnb'
import type { BuildpackSource, Place } from '#lifecycle'
import { environmentOf, type Image, labelsOf } from '#oci'
import { isSystemError, parseJson } from '#std'
import { builderBuildpacks } from '../buildpacks/directory.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { builderInvalid, runImageElsewhere } from '../problems.ts'
import { findInRoot, readInRoot } from '../roots/root-files.ts'
import type { Unpacked } from '../roots/unpacked.ts'
import { cnbPlaces, variableFilesIn } from './files.ts'
import { type BuildRoot, openBuilderRoot } from './root.ts'

/** Buildpacks that know in which versions they are there. */
export interface BuildpackShelf extends BuildpackSource {
  /** The version of an id, where there is just one. */
  onlyVersion(id: string): Promise<string | undefined>
}

/** A builder of others: a root file system with buildpacks, and what it says of their order and of run images. Its lifecycle is never run. */
export interface Builder {
  readonly name: string
  readonly root: BuildRoot
  readonly order: OrderDocument
  readonly system: SystemBuildpacks
  readonly buildpacks: BuildpackShelf
  /** The default one first. */
  readonly runImages: readonly RunImage[]
  /** Files of /platform/env, and of /cnb/build-config/env. */
  readonly variables: ReadonlyMap<string, string>
  readonly operatorVariables: ReadonlyMap<string, string>
  /** What else buildpacks may look at below /cnb. */
  readonly places: readonly Place[]
  readonly stackId: string | undefined
  readonly mixins: readonly string[]
}

/**
 * Opens a builder image (CNB platform specification, "Builder"; as pack and other platforms make them) as a file system: /cnb/order.toml, /cnb/system.toml,
 * /cnb/run.toml and /cnb/stack.toml (or what the labels say), /cnb/buildpacks, /cnb/extensions, /cnb/build-config/env, /platform/env, and the variables of
 * the image. Throws a `Problem` (`BUILDER_INVALID`, `RUN_IMAGE_PLATFORM`, or what reading a document throws).
 */
export async function openBuilder(image: Image, name: string, unpacked: Unpacked): Promise<Builder> {
  const { os, architecture } = image.config
  const wanted = `linux/${machineArchitecture()}`
  if (`${os}/${architecture}` !== wanted) throw runImageElsewhere(name, `${os}/${architecture}`, wanted)
  const environment = environmentOf(image.config)
  const root = await openBuilderRoot(image, name, environment, unpacked)
  const labels = labelsOf(image.config)
  const text = (path: string) => readInRoot([root.directory], path)
  const order = await text('/cnb/order.toml')
  if (order === undefined) throw builderInvalid(name, 'it has no /cnb/order.toml')
  const system = await text('/cnb/system.toml')
  const stackId = labels['io.buildpacks.stack.id'] ?? environment.get('CNB_STACK_ID')
  return {
    name,
    root,
    order: parseOrder(order, `/cnb/order.toml of ${name}`),
    system: system === undefined ? { pre: [], post: [] } : parseSystem(system, `/cnb/system.toml of ${name}`),
    buildpacks: builderBuildpacks(root.directory, name),
    runImages: await runImagesIn(root.directory, labels, name),
    variables: await variableFilesIn(root.directory, '/platform/env'),
    operatorVariables: await variableFilesIn(root.directory, '/cnb/build-config/env'),
    places: await cnbPlaces(root.directory),
    stackId: stackId || undefined,
    mixins: mixinsOf(labels, name),
  }
}

/** run.toml, else stack.toml, else the label: what pack itself reads, and old builders have nothing else. */
async function runImagesIn(
  root: string,
  labels: Readonly<Record<string, string>>,
  name: string,
): Promise<readonly RunImage[]> {
  const run = await readInRoot([root], '/cnb/run.toml')
  const images = run === undefined ? [] : parseRun(run, `/cnb/run.toml of ${name}`)
  if (images.length > 0) return images
  const stack = await readInRoot([root], '/cnb/stack.toml')
  const image = stack === undefined ? undefined : parseStack(stack, `/cnb/stack.toml of ${name}`)
  if (image) return [image]
  const label = labels[BUILDER_LABEL]
  return label === undefined
    ? []
    : runImagesOf(parseBuilderMetadata(label, `the label ${BUILDER_LABEL} of ${name}`))
}

/** The mixins that the image's label lists; what is no list counts as none. */
export function mixinsOf(labels: Readonly<Record<string, string>>, name: string): readonly string[] {
  const label = labels[MIXINS_LABEL]
  try {
    const found = label === undefined ? [] : parseJson(label, `the label ${MIXINS_LABEL} of ${name}`)
    return Array.isArray(found) ? found.filter(each => typeof each === 'string') : []
  } catch (error) {
    if (!isSystemError(error, 'JSON_MALFORMED')) throw error
    return []
  }
}

/** The distribution that a root says it is (os-release(5)), for run images that do not say theirs. */
export async function distroIn(root: string): Promise<{ name: string; version: string } | undefined> {
  const found = (await findInRoot([root], '/etc/os-release')) && (await readInRoot([root], '/etc/os-release'))
  const values = new Map<string, string>()
  for (const line of (found ?? '').split('\n')) {
    const [key = '', value, ...more] = line.split('=')
    if (value !== undefined && more.length === 0) values.set(key.trim(), value.replaceAll(/["\s]/g, ''))
  }
  const name = values.get('ID') ?? ''
  return name === '' ? undefined : { name, version: values.get('VERSION_ID') ?? '' }
}
