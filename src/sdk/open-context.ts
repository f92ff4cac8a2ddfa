import { join } from 'node:path'
import { readBindings } from './bindings.ts'
import { type Configuration, openConfiguration, printConfiguration } from './configuration.ts'
import type { DetectContext } from './context.ts'
import { type BuildpackDescriptor, readDescriptor } from './descriptor.ts'
import { type Log, openLog, type Sink } from './log.ts'
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

/** Who is speaking, and what the user can set. */
export function introduce(
  { name, version, homepage, configurations }: BuildpackDescriptor,
  configuration: Configuration,
  log: Log,
) {
  log.title(`${name} ${version}`)
  if (homepage) log.line(homepage)
  printConfiguration(configurations, configuration, log)
}

/** Reads what both phases know; `announce` speaks before the first line of the buildpack. */
export async function openContext(call: Call, announce?: typeof introduce): Promise<DetectContext> {
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
