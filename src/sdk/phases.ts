import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Component } from '#bom'
import { parseBuildpackPlan, parseStore, printStore } from '#cnb'
import { isSystemError, printToml, readIfExists } from '#std'
import { writeBill } from './bill.ts'
import { readBindings } from './bindings.ts'
import { type Configuration, openConfiguration, printConfiguration } from './configuration.ts'
import type { Build, BuildContext, Detect, DetectContext } from './context.ts'
import { openResolver, servedBy } from './dependency.ts'
import { type BuildpackDescriptor, readDescriptor } from './descriptor.ts'
import { planTable, type Requirement } from './detection.ts'
import { Launch } from './launch.ts'
import { openLayers } from './layers.ts'
import { type Log, openLog, type Sink } from './log.ts'
import { runProgram } from './program.ts'
import { readTarget } from './target.ts'

/** What a lifecycle hands to an executable of a buildpack, apart from its words. */
export interface Call {
  readonly application: string
  readonly buildpack: string
  readonly platform: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `process.arch`, for lifecycles that do not say what the target is. */
  readonly machine: string
  readonly sink: Sink
}

/** Exit code of a buildpack that does not take part (buildpack specification, "Detection"). */
export const NOT_DETECTED = 100

/** Detects, writes the plan, and returns the exit code of bin/detect. */
export async function detectPhase(
  detect: Detect,
  call: Call,
  planFile: string,
): Promise<0 | typeof NOT_DETECTED> {
  const context = await openContext(call)
  const detection = await detect(context)
  if (!detection.passed) {
    context.log.line(`SKIPPED: ${detection.reason}`)
    return NOT_DETECTED
  }
  await writeFile(planFile, printToml(planTable(detection.sections)))
  return 0
}

/** Builds, and writes launch.toml, build.toml, store.toml and bills of materials. */
export async function buildPhase(
  build: Build,
  call: Call,
  layersDirectory: string,
  planFile: string,
): Promise<void> {
  const context = await openContext(call, introduce)
  const { log, buildpack, target } = context

  const plan = await readPlan(planFile)
  const launch = new Launch()
  const unmet: string[] = []
  const components: Component[] = []
  const storeFile = join(layersDirectory, 'store.toml')
  const remembered = parseStore((await readIfExists(storeFile)) ?? '', storeFile).metadata
  const store = new Map<string, unknown>(Object.entries(remembered))
  const layers = openLayers({
    directory: layersDirectory,
    version: buildpack.version,
    launcher: await launcherFor(call, target.arch),
    log,
  })
  const home = async () => (await layers.keep('dependencies')).directory
  const dependency = openResolver({
    platform: call.platform,
    buildpack: call.buildpack,
    home,
    target,
    environment: call.environment,
    say: line => log.detail(line),
  })
  const whole: BuildContext = {
    ...context,
    plan,
    required: name => requiredAs(plan, name),
    layers,
    launch,
    unmet: name => void unmet.push(name),
    store,
    components: more => void components.push(...more),
    dependency,
    run: (command, parameters, { directory = call.application, variables = {} } = {}) =>
      runProgram(command, parameters, {
        directory,
        environment: { ...call.environment, ...variables },
        log,
      }),
  }
  await build(whole)

  const table = launch.table()
  if (table) await writeFile(join(layersDirectory, 'launch.toml'), printToml(table))
  if (components.length > 0) await writeBill(join(layersDirectory, 'launch'), components)
  if (unmet.length > 0)
    await writeFile(join(layersDirectory, 'build.toml'), printToml({ unmet: unmet.map(name => ({ name })) }))
  if (store.size > 0) await writeFile(storeFile, printStore({ metadata: Object.fromEntries(store) }))
  else if (Object.keys(remembered).length > 0) await writeFile(storeFile, '')
}

/** Who is speaking, and what the user can set. */
function introduce(
  { name, version, homepage, configurations }: BuildpackDescriptor,
  configuration: Configuration,
  log: Log,
) {
  log.title(`${name} ${version}`)
  if (homepage) log.line(homepage)
  printConfiguration(configurations, configuration, log)
}

async function openContext(call: Call, announce?: typeof introduce): Promise<DetectContext> {
  const { application, platform, environment, machine, sink } = call
  const buildpack = await readDescriptor(call.buildpack)
  const configuration = openConfiguration(buildpack.configurations, environment)
  return {
    application,
    buildpack,
    platform,
    environment,
    configuration,
    bindings: await readBindings([environment.SERVICE_BINDING_ROOT, join(platform, 'bindings')]),
    target: await readTarget(environment, machine),
    log: openLog(sink, announce && (log => announce(buildpack, configuration, log))),
  }
}

/** A packaged buildpack carries a launcher of its own; under our platform the image has one already. */
async function launcherFor(call: Call, arch: string): Promise<{ copy?: string; link?: string }> {
  const copy = join(call.buildpack, 'helper', `launcher-${arch}`)
  if (await isFile(copy)) return { copy }
  const served = await servedBy(join(call.platform, 'dependencies', 'socket'))
  return served ? { link: '/cnb/lifecycle/launcher' } : {}
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

async function readPlan(file: string): Promise<readonly Requirement[]> {
  return parseBuildpackPlan((await readIfExists(file)) ?? '', file)
}

function requiredAs(plan: readonly Requirement[], name: string): Record<string, unknown> | undefined {
  const found = plan.filter(each => each.name === name)
  return found.length === 0 ? undefined : Object.assign({}, ...found.map(({ metadata }) => metadata))
}
