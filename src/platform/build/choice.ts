import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseOrder } from '#cnb'
import {
  type BuilderOrder,
  type ChosenBuildpacks,
  chooseBuildpacks,
} from '../buildpacks/chosen-buildpacks.ts'
import { buildpackDirectory } from '../buildpacks/directory.ts'
import { buildpackFinder } from '../buildpacks/finder.ts'
import { shipped } from '../shipped.ts'
import type { AppProject } from './app-project.ts'
import type { BuildDirectory } from './directory.ts'
import type { BuildGround } from './ground.ts'
import type { BuildRequest } from './request.ts'

/** The name that stands for slipway's own buildpacks and bases where the project names another builder. */
const OWN = 'slipway'

/** The builder that a build asks for: the person's choice, else the project's; undefined for slipway itself. */
export function builderOf({ builder }: BuildRequest, { project }: AppProject): string | undefined {
  const name = builder ?? project.builder
  return name === undefined || name === '' || name === OWN ? undefined : name
}

/** Only of our own buildpacks is it known that the same inputs give the same image; another may well ask the network for something newer. */
export function onlyOwnBuildpacks(request: BuildRequest, app: AppProject): boolean {
  const { project } = app
  const { buildpacks, preBuildpacks, postBuildpacks } = request
  const lists = [buildpacks, preBuildpacks, postBuildpacks, project.buildpacks, project.pre, project.post]
  return builderOf(request, app) === undefined && lists.every(list => list.length === 0)
}

/** Who chose the buildpacks of a build, in words. */
export function whoChose(request: BuildRequest, app: AppProject): string {
  const { project } = app
  const builder = builderOf(request, app)
  const order = builder === undefined ? "slipway's order" : `the order of the builder ${builder}`
  if (request.buildpacks.length > 0) return '--buildpack'
  if (project.buildpacks.length > 0) return 'the project descriptor'
  const around = [request.preBuildpacks, request.postBuildpacks, project.pre, project.post].some(
    list => list.length > 0,
  )
  return around ? `${order} with buildpacks put before or after it` : order
}

/** Chooses the buildpacks of a build, and opens those that are not the builder's own. */
export async function openChoice(
  request: BuildRequest,
  { builder, images, unpacked, sources }: BuildGround,
  { project, directory: projectDirectory }: AppProject,
  { path }: BuildDirectory,
): Promise<ChosenBuildpacks> {
  const { buildpacks: named, preBuildpacks: pre, postBuildpacks: post, report, signal } = request
  if (named.length > 0 && pre.length + post.length > 0)
    report.warn('--pre-buildpack and --post-buildpack mean nothing beside --buildpack, which replaces all.')
  const own = await ownOrder()
  const http = sources.access
  return chooseBuildpacks({
    ...{ named, pre, post, project, projectDirectory },
    workingDirectory: request.workingDirectory,
    execEnv: request.execEnv,
    builder: builder ?? own,
    ...(builder && { fallback: own.buildpacks }),
    finder: buildpackFinder({
      ...{ images, unpacked, http, report, signal },
      registry: request.buildpackRegistry,
      workingDirectory: request.workingDirectory,
      scratch: join(path, 'downloads'),
    }),
    isImage: text => images.has(text),
    skipExtensions: request.skipExtensions,
    scratch: join(path, 'inline'),
  })
}

async function ownOrder(): Promise<BuilderOrder> {
  const directory = shipped('dist/buildpacks')
  const file = join(directory, 'order.toml')
  return {
    order: parseOrder(await readFile(file, 'utf8'), file),
    system: { pre: [], post: [] },
    buildpacks: buildpackDirectory(directory),
  }
}
