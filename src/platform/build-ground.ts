import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Executor } from '#lifecycle'
import type { LayoutStore } from '#oci'
import {
  type MachineSources,
  openMachineSources,
  openRuntimes,
  type Runtime,
  type RuntimeRequest,
  type RuntimeSession,
} from '#runtimes'
import type { Sandbox } from '#sandbox'
import { readIfExists } from '#std'
import { type AppLock, readAppLock } from './app-lock.ts'
import { machineArchitecture, openBases } from './bases.ts'
import { type BuildBases, buildBases } from './build-bases.ts'
import type { BuildDirectory } from './build-directory.ts'
import { buildNode } from './build-node.ts'
import type { BuildRequest } from './build-request.ts'
import { DEPENDENCY_SOCKET, DEPENDENCY_TREES, serveDependencies } from './dependencies.ts'
import { NODE_INSIDE, sandboxExecutor } from './executables.ts'
import { type MachineCertificates, machineCertificates } from './extra-certificates.ts'
import { openMachineSandbox } from './machine-sandbox.ts'
import { shippedCatalog } from './shipped.ts'
import { together } from './together.ts'

/** What of the machine a build uses: registries, bases, runtimes. Connections are closed when it is disposed. */
export interface BuildGround extends AsyncDisposable {
  readonly certificates: MachineCertificates | undefined
  readonly sources: MachineSources
  readonly lock: AppLock
  readonly bases: BuildBases
  /** Runs our own buildpacks. */
  readonly node: Runtime
  readonly sandbox: Sandbox
  readonly runtimes: RuntimeSession
}

/** Finds or makes everything that a build stands on. What was made before is only found. */
export async function openBuildGround(request: BuildRequest, store: LayoutStore): Promise<BuildGround> {
  const { home, environment, report, signal, path, locked } = request
  const certificates = await machineCertificates(home, environment, report)
  const sources = openMachineSources({
    home,
    userHome: homedir(),
    environment,
    node: process.execPath,
    certificates: certificates && (await readIfExists(certificates.pem)),
    now: Date.now,
    signal,
  })
  try {
    const lock = await readAppLock(path, locked)
    const bases = openBases({ home, store, catalog: shippedCatalog(), archive: sources.archive, report })
    const [found, node, sandbox] = await together([
      buildBases({ store, bases, lock, locked, runImage: request.runImage }),
      buildNode({ home, sources, arch: machineArchitecture(), report }),
      openMachineSandbox({ home, environment, sources, report, driver: request.driver }),
    ])
    return {
      certificates,
      sources,
      lock,
      bases: found,
      node,
      sandbox,
      runtimes: openRuntimes({ ...sources, home, report, locked }, lock.runtimes),
      async [Symbol.asyncDispose]() {
        await sandbox[Symbol.asyncDispose]()
        await sources[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await sources[Symbol.asyncDispose]()
    throw error
  }
}

/** Runs buildpacks on that ground, and answers them when they ask for runtimes. */
export interface BuildExecutor extends AsyncDisposable {
  readonly executor: Executor
}

/** Answers buildpacks in the sandbox from now on. */
export async function openBuildExecutor(
  { home, report, network }: BuildRequest,
  { runtimes, certificates, sandbox, node, bases }: BuildGround,
  { path, places }: BuildDirectory,
): Promise<BuildExecutor> {
  report.detail(sandbox.description)
  const resolve = (asked: RuntimeRequest) => runtimes.resolve(asked)
  const server = await serveDependencies({ directory: join(path, 'dependencies'), resolve, report })
  const executor = await sandboxExecutor({
    sandbox,
    root: bases.build.directory,
    places: [
      places.platform,
      { host: server.socket, inside: DEPENDENCY_SOCKET },
      { host: join(home, 'trees'), inside: DEPENDENCY_TREES },
      { host: node.path, inside: NODE_INSIDE },
    ],
    network,
    certificates,
    scratch: join(path, 'naming'),
  })
  return { executor, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
