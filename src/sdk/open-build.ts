import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Component } from '#bom'
import { parseBuildpackPlan, parseStore, printStore } from '#cnb'
import { isFile, printToml, readIfExists } from '#std'
import { writeBill } from './bill.ts'
import type { BuildContext, DetectContext, RunOptions } from './context.ts'
import { openResolver, servedBy } from './dependency.ts'
import type { Requirement } from './detection.ts'
import { Launch } from './launch.ts'
import { openLayers } from './layers.ts'
import type { Call } from './open-context.ts'
import { outputOfProgram, runProgram } from './program.ts'

/** A build under way: what the buildpack is handed, and what writes down what it said. */
export interface OpenBuild {
  readonly context: BuildContext
  /** Writes launch.toml, build.toml, store.toml and the bill of materials of the image. */
  finish(): Promise<void>
}

/** Reads the plan and the store, and opens layers and dependencies. */
export async function openBuild(
  context: DetectContext,
  call: Call,
  directory: string,
  planFile: string,
): Promise<OpenBuild> {
  const plan = parseBuildpackPlan((await readIfExists(planFile)) ?? '', planFile)
  const launch = new Launch()
  const unmet: string[] = []
  const components: Component[] = []
  const remembered = await openStore(join(directory, 'store.toml'))
  const { log, buildpack, target } = context
  const launcher = await launcherFor(call, target.arch)
  const layers = openLayers({ directory, version: buildpack.version, launcher, log })
  const dependency = openResolver({
    platform: call.platform,
    buildpack: call.buildpack,
    home: async () => (await layers.keep('dependencies')).directory,
    target,
    environment: call.environment,
    say: line => log.detail(line),
  })
  const programOptions = ({ directory = call.application, variables = {} }: RunOptions = {}) => ({
    directory,
    environment: { ...call.environment, ...variables },
    log,
  })
  return {
    context: {
      ...context,
      plan,
      required: name => requiredAs(plan, name),
      layers,
      launch,
      unmet: name => void unmet.push(name),
      store: remembered.store,
      components: more => void components.push(...more),
      dependency,
      run: (command, parameters, options) => runProgram(command, parameters, programOptions(options)),
      output: async (command, parameters, options) =>
        (await outputOfProgram(command, parameters, programOptions(options))).trim(),
    },
    async finish() {
      const table = launch.table()
      if (table) await writeFile(join(directory, 'launch.toml'), printToml(table))
      if (components.length > 0) await writeBill(join(directory, 'launch'), components)
      const names = unmet.map(name => ({ name }))
      if (names.length > 0) await writeFile(join(directory, 'build.toml'), printToml({ unmet: names }))
      await remembered.write()
    },
  }
}

async function openStore(file: string) {
  const { metadata } = parseStore((await readIfExists(file)) ?? '', file)
  const store = new Map<string, unknown>(Object.entries(metadata))
  return {
    store,
    async write() {
      if (store.size > 0) await writeFile(file, printStore({ metadata: Object.fromEntries(store) }))
      else if (Object.keys(metadata).length > 0) await writeFile(file, '')
    },
  }
}

/** A packaged buildpack carries a launcher of its own; under our platform the image has one already. */
async function launcherFor(call: Call, arch: string): Promise<{ copy?: string; link?: string }> {
  const copy = join(call.buildpack, 'helper', `launcher-${arch}`)
  if (await isFile(copy)) return { copy }
  const served = await servedBy(join(call.platform, 'dependencies', 'socket'))
  return served ? { link: '/cnb/lifecycle/launcher' } : {}
}

function requiredAs(plan: readonly Requirement[], name: string): Record<string, unknown> | undefined {
  const found = plan.filter(each => each.name === name)
  return found.length === 0 ? undefined : Object.assign({}, ...found.map(({ metadata }) => metadata))
}
