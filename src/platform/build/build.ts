import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { printReport } from '#cnb'
import {
  analyze,
  build,
  type Cache,
  CONTRACT_VERSION,
  exportCache,
  exportImage,
  generate,
  type LauncherOptions,
  LaunchFactsIndex,
  type LayerRules,
  type Places,
  prepareBuild,
  restore,
  StatIndex,
  salvageCache,
  withExitCode,
} from '#lifecycle'
import { parseName } from '#oci'
import { CNB } from '#os'
import { writeDurably } from '#std'
import type { Builder } from '../builder/builder.ts'
import { writeVariableFiles } from '../builder/files.ts'
import { prepareExecutables } from '../executables/executables.ts'
import { recordOfBuild } from '../explain/explain.ts'
import { writeRecord } from '../explain/record.ts'
import { openImageWays } from '../images/image-ways.ts'
import { type LauncherBinary, launcherBinary } from '../launcher/launcher.ts'
import { writeLauncherBills } from '../launcher/sbom.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { nameTaken } from '../problems.ts'
import { shipped, shippedCatalog } from '../shipped.ts'
import { openStore } from '../store.ts'
import { together } from '../together.ts'
import { updatedLock, writeAppLock } from './app-lock.ts'
import { type AppProject, projectMetadata, projectVariables, readAppProject } from './app-project.ts'
import { openCache } from './cache.ts'
import { builderOf, onlyOwnBuildpacks, openChoice, whoChose } from './choice.ts'
import { createdTime } from './created.ts'
import { detectWithHints } from './detect-hints.ts'
import { type BuildDirectory, openBuildDirectory } from './directory.ts'
import { buildEnvironment } from './environment.ts'
import { fittingRunImage } from './fitting-run-image.ts'
import { type BuildGround, calledLater, openBuildExecutor, openBuildGround } from './ground.ts'
import { withInsidePaths } from './inside-paths.ts'
import { copyOut, reportOf } from './papers.ts'
import type { BuildRequest } from './request.ts'
import { sourceFilter } from './source-filter.ts'
import { stackNotes } from './stack-notes.ts'
import { switchRunImage, targetOf } from './switched-run-image.ts'
import { type BuildTarget, type BuiltImage, openBuildTarget } from './target.ts'
import { mayBeUnchanged, nameInputs, rememberInputs, unchangedImage } from './unchanged.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

const PLATFORM_API = '0.15'

/** Exit code of a failed analysis (CNB platform specification, "Analyzer"). */
const ANALYZE = 32

/**
 * Builds an image from source and puts it into the store. The lifecycle runs in this process; only executables of buildpacks run in
 * the sandbox. Until the end nobody sees anything of it, and a build that is stopped leaves nothing behind. Throws a `Problem` that says
 * what, why and what to do; exit codes are those of the CNB platform specification.
 */
export async function buildImage(request: BuildRequest): Promise<BuiltImage> {
  const { home, report, path, execEnv, environment, signal, insecureRegistries: insecure, platform } = request
  for (const name of [request.name, ...request.tags]) await checkName(name)
  const created = request.created ?? (await createdTime(path, environment)).seconds
  const project = await readAppProject(path, request.descriptor, report)
  report.phase('ANALYZING')
  const store = openStore(home)
  await using _lease = await store.lease()
  await using ways = openImageWays({ home, environment, report, signal, insecure, platform })
  const target = await openBuildTarget(request, store, ways)
  const variables = Object.fromEntries([...projectVariables(project.project, execEnv), ...request.variables])
  await using directory = await openBuildDirectory(home, { variables, bindings: request.bindings })
  const began = (await stat(directory.path, { bigint: true })).ctimeNs
  const { places } = directory
  const stats = new StatIndex(join(home, 'exports/layers'))
  const ignored = sourceFilter(project.project)
  const source = { from: path, to: places.app.host, ignored, without: home, report, signal: request.signal }
  const name = (ground: BuildGround) =>
    nameInputs(
      {
        ...{ request, ignored, variables, project: project.project },
        bindings: join(places.platform.host, 'bindings'),
        ...{ bases: ground.bases, created, buildpacks: shipped('dist/buildpacks') },
      },
      began,
    )
  const own = onlyOwnBuildpacks(request, project)
  const builderName = builderOf(request, project)
  const fitting = own ? await fittingRunImage(path, ignored, variables) : undefined
  const grounded = { ...request, runImage: request.runImage ?? fitting }
  const standing = { ways, near: target.registry, builderName }
  const first = builderName !== undefined || (own && mayBeUnchanged(request, target))
  await using early = first ? await openBuildGround(grounded, store, standing) : undefined
  const { uid, gid } = early?.bases.build.user ?? CNB
  const rules: LayerRules = { owner: { uid, gid }, parents: 'fixed' }
  const options = { ...request, places, rules, stats, clear: request.clearCache }
  const same = own && early && (await unchangedImage(request, target, await name(early)))
  if (same) return await sayUnchanged(request, target, same)
  const called = calledLater(request, own)
  if (early) prepareExecutables(early.sandbox, called)
  const openPrepared = async () => {
    const ground = await openBuildGround(grounded, store, standing)
    prepareExecutables(ground.sandbox, called)
    return ground
  }
  const opened = await together([
    early ? Promise.resolve(undefined) : openPrepared(),
    openCache(request, options, ways),
    openWorkspace({ ...source, home, name: request.name, clear: request.clearCache, began }),
    // Asked of the target while the bases are found; what is said of it is said in its phase.
    withExitCode(ANALYZE, () => together([target.previous(), target.checkWritable()])),
  ])
  await using late = opened[0]
  await using cache = opened[1]
  await using workspace = opened[2]
  const ground = (early ?? late) as BuildGround
  const [previous] = opened[3]
  // Named after copying: what changes while it is copied is newer than the build directory, and so is not trusted.
  const inputs = own ? await name(ground) : undefined
  const context = {
    target,
    previous,
    ground,
    directory,
    project,
    created,
    cache,
    workspace,
    stats,
    rules,
    own,
  }
  const image = await runPhases(request, context).catch(error => {
    throw withInsidePaths(error, directory.path)
  })
  if (inputs) await rememberInputs(request, target, inputs, image)
  if (ground.sandbox.driver === 'bwrap') await workspace.keep()
  return image
}

async function sayUnchanged(
  { name, tags, report, reportDirectory }: BuildRequest,
  target: BuildTarget,
  image: BuiltImage,
): Promise<BuiltImage> {
  report.line('Nothing changed: source, slipway.lock, settings, bases and buildpacks are those of this image')
  if (tags.length > 0) await target.nameAlike(image)
  report.line(`*** Images (${image.digest}):`)
  for (const each of [name, ...tags]) report.line(`      ${each}`)
  if (reportDirectory !== undefined)
    await writeDurably(join(reportDirectory, 'report.toml'), printReport(reportOf(target.names, image)))
  report.line(`Successfully built image ${name}`)
  return image
}

/** Names of bases stay with the bases: other builds and rebases find them by these. Throws a `Problem` (`IMAGE_NAME_TAKEN`). */
async function checkName(name: string): Promise<void> {
  if (parseName(name).startsWith('slipway/') && (await shippedCatalog().has(name))) throw nameTaken(name)
}

/** What the phases of a build share. */
interface PhaseContext {
  readonly target: BuildTarget
  readonly previous: Awaited<ReturnType<BuildTarget['previous']>>
  readonly ground: BuildGround
  readonly directory: BuildDirectory
  readonly project: AppProject
  readonly created: number
  readonly cache: Cache
  readonly workspace: Workspace
  readonly stats: StatIndex
  readonly rules: LayerRules
  /** Only slipway's own buildpacks take part. */
  readonly own: boolean
}

async function runPhases(request: BuildRequest, context: PhaseContext): Promise<BuiltImage> {
  const { report, signal, execEnv, name, path } = request
  const { target, previous, ground, directory, project, created, cache, workspace, stats, rules, own } =
    context
  const { builder } = ground
  const places = await withBuilderVariables(directory, builder)
  let { bases } = ground

  const before = previous?.image
  if (!before) report.line(`Image with name ${JSON.stringify(request.previousImage ?? name)} not found`)
  let analyzed = await analyze({ report, places, run: bases.run, ...(previous && { previous }) })

  report.phase('DETECTING')
  const chosen = await openChoice(request, ground, project, directory)
  await using opened = await openBuildExecutor(request, ground, directory, !own)
  const common = {
    report,
    signal,
    places,
    executor: opened.executor,
    buildpacks: chosen.source,
    target: targetOf(bases),
    platformApi: PLATFORM_API,
    execEnv,
    environment: await buildEnvironment(bases.build, request.environment, created, ground.certificates),
  } as const
  // Mostly it is the group of last time that builds, and its first buildpack can start while that is found out.
  const likely = analyzed.metadata.buildpacks.map(({ key, version }) => ({ id: key, version }))
  await prepareBuild({ ...common, plan: [] }, likely)
  const detection = await detectWithHints({ ...common, ...chosen.order }, path, request.workingDirectory)
  const { group } = detection
  await stackNotes(group, chosen.source, builder ?? { stackId: bases.build.environment.CNB_STACK_ID }, report)
  const { plan, runImage } = await generate({ ...common, ...detection })
  if (runImage) {
    bases = await switchRunImage(ground, runImage, { group, buildpacks: chosen.source, report })
    analyzed = await analyze({ report, places, run: bases.run, ...(previous && { previous }) })
  }
  const { run } = bases

  report.phase('RESTORING')
  const building = { ...common, target: targetOf(bases), group, plan }
  await prepareBuild(building, group.buildpacks)
  const restoring = { ...common, group, analyzed, cache, skipLayers: request.clearCache }
  await restore({ ...restoring, ...(before && { previous: before }) })

  report.phase('BUILDING')
  const caching = { cache, places, rules, buildpacks: group.buildpacks, stats, report }
  await workspace.begin()
  const metadata = await build(building).catch(async error => {
    if (request.cacheImage === undefined) await salvageCache(caching)
    throw error
  })
  const lock = updatedLock(ground.lock, bases.locks, ground.runtimes.locks())
  if (!builder || Object.keys(ground.runtimes.locks()).length > 0) await writeAppLock(path, lock, request)

  report.phase('EXPORTING')
  let whenRead = () => {}
  const read = new Promise<void>(resolve => (whenRead = resolve))
  const exporting = exportImage({
    store: target.store,
    names: target.names,
    places,
    rules,
    platformApi: PLATFORM_API,
    runImage: {
      image: run.image,
      reference: run.reference,
      names: { image: run.name, mirrors: run.mirrors },
      elsewhere: target.elsewhere,
    },
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
    ...(request.reportDirectory !== undefined && { reportFile: join(places.layers.host, 'report.toml') }),
    whenRead,
  }).then(async exported => {
    await copyOut(request, places)
    return exported
  })
  const [exported] = await together([
    exporting,
    Promise.race([read, exporting]).then(() => exportCache({ ...caching, exported: exporting })),
  ])
  const record = recordOfBuild({
    previous: previous?.reference ?? null,
    chosenBy: whoChose(request, project),
    group: group.buildpacks.map(({ id, version }) => ({ id, version })),
    attempts: detection.attempts.map(({ id, version, result, words }) => ({ id, version, result, words })),
    notes: [...detection.notes],
    layers: exported.layers,
  })
  await writeRecord(request.home, exported.image.digest, record)
  report.line(`Successfully built image ${name}`)
  return exported.image
}

/** Adds what a builder sets for all builds; the person's own variables win. */
async function withBuilderVariables(
  { path, places }: BuildDirectory,
  builder: Builder | undefined,
): Promise<Places> {
  if (!builder) return places
  await writeVariableFiles(join(places.platform.host, 'env'), builder.variables)
  const host = join(path, 'build-config')
  await writeVariableFiles(join(host, 'env'), builder.operatorVariables)
  return { ...places, buildConfig: { host, inside: '/cnb/build-config' } }
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
    // Tools compare it with versions of the reference, such as `pack inspect` does.
    info: { version: CONTRACT_VERSION },
    sboms: async needed => {
      const bills = join(directory.path, 'sboms')
      if (needed) await writeLauncherBills(bills, await binary())
      return bills
    },
  }
}
