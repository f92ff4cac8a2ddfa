import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import {
  type Analyzed,
  type BuildMetadata,
  type Group,
  NO_METADATA,
  type OrderDocument,
  type Plan,
  type ProjectMetadata,
  parseAnalyzed,
  parseGroup,
  parseMetadata,
  parseOrder,
  parsePlan,
  parseProjectMetadata,
  parseRun,
  parseSystem,
  type RunImage,
  withSystem,
} from '#cnb'
import { isSystemError, readIfExists } from '#std'
import type { PhaseInputs } from './inputs.ts'
import { documentMissing } from './problems.ts'

/** Analysis that found nothing, for phases that can do without. */
export const NOT_ANALYZED: Analyzed = {
  metadata: NO_METADATA,
  runImage: { reference: '', target: { os: '', arch: '' } },
}

/** The group that a detector chose. Throws a `Problem` (`PHASE_DOCUMENT_MISSING`; `BUILDPACK_API_UNSUPPORTED`, exit code 12; …). */
export async function readGroup({ group }: PhaseInputs): Promise<Group> {
  return parseGroup(await required(group, 'the detector'), group)
}

export async function readPlan({ plan }: PhaseInputs): Promise<Plan> {
  return parsePlan(await required(plan, 'the detector'), plan)
}

/** What an analyzer found; undefined where there is no such file. */
export async function readAnalyzed({ analyzed }: PhaseInputs): Promise<Analyzed | undefined> {
  const text = await readIfExists(analyzed)
  return text === undefined ? undefined : parseAnalyzed(text, analyzed)
}

/** The run images of a builder; none where it has no run.toml. A platform may list one without a name, for a stack that is none. */
export async function readRunImages({ run }: PhaseInputs): Promise<readonly RunImage[]> {
  return parseRun((await readIfExists(run)) ?? '', run).filter(({ image }) => image !== '')
}

/** The order to detect by, with the buildpacks that the operator puts around every group. */
export async function readOrder(
  { order, system }: PhaseInputs,
  withSystems: boolean,
): Promise<OrderDocument> {
  const document = parseOrder(await required(order, 'whoever makes a builder'), order)
  const text = withSystems ? await readIfExists(system) : undefined
  return text === undefined
    ? document
    : { ...document, order: withSystem(document.order, parseSystem(text, system)) }
}

/** What buildpacks asked of the image. */
export async function readBuildMetadata({ layers }: PhaseInputs): Promise<BuildMetadata> {
  const file = resolve(layers, 'config/metadata.toml')
  return parseMetadata(await required(file, 'the builder'), file)
}

export async function readProject({ projectMetadata }: PhaseInputs): Promise<ProjectMetadata> {
  return parseProjectMetadata((await readIfExists(projectMetadata)) ?? '', projectMetadata)
}

/** Puts a document that a phase wrote to its usual place where the platform wants to have it. */
export async function moveDocument(from: string, to: string): Promise<void> {
  if (resolve(from) === resolve(to)) return
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
  await rm(from)
}

async function required(file: string, writer: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw documentMissing(file, writer)
    throw error
  }
}
