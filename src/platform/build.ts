import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BaseTarget } from '#cnb'
import {
  analyze,
  build,
  type Cache,
  exportCache,
  exportImage,
  type LauncherOptions,
  LaunchFactsIndex,
  type LayerRules,
  restore,
  runTarget,
  StatIndex,
  salvageCache,
} from '#lifecycle'
import { type LayoutStore, parseName, type StoredImage } from '#oci'
import { CNB } from '#os'
import { updatedLock, writeAppLock } from './app-lock.ts'
import { type AppProject, projectMetadata, projectVariables, readAppProject } from './app-project.ts'
import { machineArchitecture } from './bases.ts'
import { openBuildCache } from './build-cache.ts'
import { type BuildDirectory, openBuildDirectory } from './build-directory.ts'
import { buildEnvironment } from './build-environment.ts'
import { type BuildGround, openBuildExecutor, openBuildGround } from './build-ground.ts'
import type { BuildRequest } from './build-request.ts'
import { chooseBuildpacks } from './chosen-buildpacks.ts'
import { createdTime } from './created.ts'
import { detectWithHints } from './detect-hints.ts'
import { withInsidePaths } from './inside-paths.ts'
import { type LauncherBinary, launcherBinary } from './launcher.ts'
import { writeLauncherBills } from './launcher-sbom.ts'
import { nameTaken } from './problems.ts'
import { shipped, shippedCatalog } from './shipped.ts'
import { copySource } from './source.ts'
import { sourceFilter } from './source-filter.ts'
import { openStore } from './store.ts'
import { together } from './together.ts'
import { mayBeUnchanged, nameInputs, rememberInputs, unchangedImage } from './unchanged.ts'
import { VERSION } from './version.ts'

const PLATFORM_API = '0.15'
const RULES: LayerRules = { owner: CNB, parents: 'fixed' }

/**
 * Builds an image from source and puts it into the store. The lifecycle runs in this process; only executables of buildpacks run in
 * the sandbox. Until the end nobody sees anything of it, and a build that is stopped leaves nothing behind. Throws a `Problem` that says
 * what, why and what to do; exit codes are those of the CNB platform specification.
 */
export async function buildImage(request: BuildRequest): Promise<StoredImage> {
  const { home, report, path, execEnv } = request
  for (const name of [request.name, ...request.tags]) await checkName(name)
  const created = await createdTime(path, request.environment)
  const project = await readAppProject(path, request.descriptor, report)
  const store = openStore(home)
  await using _lease = await store.lease()
  const variables = Object.fromEntries([...projectVariables(project.project, execEnv), ...request.variables])
  await using directory = await openBuildDirectory(home, { variables, bindings: request.bindings })
  const began = (await stat(directory.path, { bigint: true })).ctimeNs
  const { places } = directory
  const stats = new StatIndex(join(home, 'exports/layers'))
  const options = { ...request, places, rules: RULES, stats, clear: request.clearCache }
  const ignored = sourceFilter(project.project)
  const source = { from: path, to: places.app.host, ignored, without: home, report, signal: request.signal }
  const name = (ground: BuildGround) =>
    nameInputs(
      {
        ...{ request, ignored, variables, project: project.project },
        bindings: join(places.platform.host, 'bindings'),
        ...{ bases: ground.bases, created: created.seconds, buildpacks: shipped('dist/buildpacks') },
      },
      began,
    )
  const own = onlyOwnBuildpacks(request, project)
  await using early = own && mayBeUnchanged(request) ? await openBuildGround(request, store) : undefined
  const same = early && (await unchangedImage(request, store, await name(early)))
  if (same) return await sayUnchanged(request, store, same)
  const opened = await together([
    early ? Promise.resolve(undefined) : openBuildGround(request, store),
    openBuildCache(options),
    copySource(source),
  ])
  await using late = opened[0]
  await using cache = opened[1]
  const ground = (early ?? late) as BuildGround
  // Named after copying: what changes while it is copied is newer than the build directory, and so is not trusted.
  const inputs = own ? await name(ground) : undefined
  const context = { store, ground, directory, project, created: created.seconds, cache, stats }
  const image = await runPhases(request, context).catch(error => {
    throw withInsidePaths(error, directory.path)
  })
  if (inputs) await rememberInputs(request, inputs, image)
  return image
}

/** Only of our own buildpacks is it known that the same inputs give the same image; another may well ask the network for something newer. */
function onlyOwnBuildpacks({ buildpacks }: BuildRequest, { project }: AppProject): boolean {
  return [buildpacks, project.buildpacks, project.pre, project.post].every(list => list.length === 0)
}

async function sayUnchanged(
  { name, tags, report }: BuildRequest,
  store: LayoutStore,
  image: StoredImage,
): Promise<StoredImage> {
  report.phase('ANALYZING')
  report.line('Nothing changed: source, slipway.lock, settings, bases and buildpacks are those of this image')
  for (const tag of tags) await store.tag(name, tag)
  report.line(`*** Images (${image.digest}):`)
  for (const each of [name, ...tags]) report.line(`      ${each}`)
  report.line(`Successfully built image ${name}`)
  return image
}

/** Names of bases stay with the bases: other builds and rebases find them by these. Throws a `Problem` (`IMAGE_NAME_TAKEN`). */
async function checkName(name: string): Promise<void> {
  if (parseName(name).startsWith('slipway/') && (await shippedCatalog().has(name))) throw nameTaken(name)
}

/** What the phases of a build share. */
interface PhaseContext {
  readonly store: LayoutStore
  readonly ground: BuildGround
  readonly directory: BuildDirectory
  readonly project: AppProject
  readonly created: number
  readonly cache: Cache
  readonly stats: StatIndex
}

async function runPhases(request: BuildRequest, context: PhaseContext): Promise<StoredImage> {
  const { report, signal, execEnv, name, path } = request
  const { store, ground, directory, project, created, cache, stats } = context
  const { places } = directory
  const { run } = ground.bases

  report.phase('ANALYZING')
  const before = await store.image(name)
  if (!before) report.line(`Image with name ${JSON.stringify(name)} not found`)
  const previous = before && { image: before, reference: `${name}@${before.digest}` }
  const analyzed = await analyze({ report, places, run, ...(previous && { previous }) })

  report.phase('DETECTING')
  const chosen = await chooseBuildpacks({
    named: request.buildpacks,
    workingDirectory: request.workingDirectory,
    project: project.project,
    execEnv,
    projectDirectory: project.directory,
    scratch: join(directory.path, 'inline'),
  })
  await using opened = await openBuildExecutor(request, ground, directory)
  const common = {
    report,
    signal,
    places,
    executor: opened.executor,
    buildpacks: chosen.source,
    target: targetOf(run.image, run.name),
    platformApi: PLATFORM_API,
    execEnv,
    environment: buildEnvironment(
      ground.bases.build.settings,
      request.environment,
      created,
      ground.certificates,
    ),
  } as const
  const { group, plan } = await detectWithHints(
    { ...common, order: chosen.order.order },
    path,
    request.workingDirectory,
  )

  report.phase('RESTORING')
  const restoring = { ...common, group, analyzed, cache, skipLayers: request.clearCache }
  await restore({ ...restoring, ...(before && { previous: before }) })

  report.phase('BUILDING')
  const caching = { cache, places, rules: RULES, buildpacks: group.buildpacks, stats, report }
  const metadata = await build({ ...common, group, plan }).catch(async error => {
    await salvageCache(caching)
    throw error
  })
  await writeAppLock(path, updatedLock(ground.lock, ground.bases.locks, ground.runtimes.locks()), request)

  report.phase('EXPORTING')
  const exported = await exportImage({
    store,
    names: [name, ...request.tags],
    places,
    rules: RULES,
    platformApi: PLATFORM_API,
    runImage: { image: run.image, reference: run.reference, names: { image: run.name } },
    ...(before && { previous: { image: before, metadata: analyzed.metadata } }),
    buildpacks: group.buildpacks,
    metadata,
    project: projectMetadata(project.project),
    launcher: launcherOf(request, ground, directory),
    ...(request.defaultProcess !== undefined && { processType: request.defaultProcess }),
    execEnv,
    created,
    memory: { stats, facts: new LaunchFactsIndex(join(request.home, 'exports/facts')) },
    report,
    reportFile: join(places.layers.host, 'report.toml'),
  })
  await exportCache(caching)
  report.line(`Successfully built image ${name}`)
  return exported.image
}

/** The run image's platform, with the distribution of Debian where it says none. */
function targetOf(image: StoredImage, name: string): BaseTarget {
  const { id: _, ...target } = runTarget(image.config, name)
  return target
}

/** The launcher is found or built, and its bills of materials are written, only if a process needs it. */
function launcherOf(
  request: BuildRequest,
  { sources }: BuildGround,
  directory: BuildDirectory,
): LauncherOptions {
  const { goModules } = sources
  const arch = machineArchitecture()
  let found: Promise<LauncherBinary> | undefined
  const binary = () => {
    found ??= launcherBinary({ ...request, arch, machine: process.arch, goModules })
    return found
  }
  return {
    choice: request.launcher,
    file: async () => (await binary()).path,
    info: { version: VERSION },
    sboms: async needed => {
      const bills = join(directory.path, 'sboms')
      if (needed) await writeLauncherBills(bills, await binary())
      return bills
    },
  }
}
