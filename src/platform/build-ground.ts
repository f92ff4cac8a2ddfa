import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Executor, Place } from '#lifecycle'
import type { LayoutStore } from '#oci'
import { type MachineSources, openMachineSources, openRuntimes, type RuntimeSession } from '#runtimes'
import { readIfExists } from '#std'
import { type AppLock, readAppLock } from './app-lock.ts'
import { machineArchitecture, openBases } from './bases.ts'
import { type BuildBases, buildBases } from './build-bases.ts'
import type { BuildDirectory } from './build-directory.ts'
import { buildNode } from './build-node.ts'
import type { BuildRequest } from './build-request.ts'
import {
  DEPENDENCY_SOCKET,
  DEPENDENCY_TREES,
  type DependencyServer,
  serveDependencies,
} from './dependencies.ts'
import { NODE_INSIDE, sandboxExecutor } from './executables.ts'
import { type MachineCertificates, machineCertificates } from './extra-certificates.ts'
import { openMachineSandbox } from './machine-sandbox.ts'
import { shippedCatalog } from './shipped.ts'

/** What of the machine a build uses: registries, bases, runtimes. Connections are closed when it is disposed. */
export interface BuildGround extends AsyncDisposable {
  readonly certificates: MachineCertificates | undefined
  readonly sources: MachineSources
  readonly lock: AppLock
  readonly bases: BuildBases
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
    const lock = await readAppLock(path)
    const bases = openBases({ home, store, catalog: shippedCatalog(), archive: sources.archive, report })
    return {
      certificates,
      sources,
      lock,
      bases: await buildBases({ store, bases, lock, locked, runImage: request.runImage }),
      runtimes: openRuntimes({ ...sources, home, report, locked }, lock.runtimes),
      [Symbol.asyncDispose]: () => sources[Symbol.asyncDispose](),
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

/** Opens the sandbox with Node.js and the dependency server in it. */
export async function openBuildExecutor(
  request: BuildRequest,
  ground: BuildGround,
  directory: BuildDirectory,
): Promise<BuildExecutor> {
  const { home, environment, report, driver, network } = request
  const { sources, runtimes, certificates } = ground
  await using opened = new AsyncDisposables()
  const server: DependencyServer = opened.take(
    await serveDependencies({
      directory: join(directory.path, 'dependencies'),
      resolve: asked => runtimes.resolve(asked),
      report,
    }),
  )
  const [sandbox, node] = await Promise.all([
    openMachineSandbox({ home, environment, sources, report, driver }).then(sandbox => opened.take(sandbox)),
    buildNode({ home, sources, arch: machineArchitecture(), report }),
  ])
  report.detail(sandbox.description)
  const places: Place[] = [
    directory.places.platform,
    { host: server.socket, inside: DEPENDENCY_SOCKET },
    { host: join(home, 'trees'), inside: DEPENDENCY_TREES },
    { host: node.path, inside: NODE_INSIDE },
  ]
  const root = ground.bases.build.directory
  const executor = await sandboxExecutor({ sandbox, root, places, network, certificates })
  const kept = opened.keep()
  return { executor, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() }
}

/** Things that were opened, closed in reverse order; `keep` hands them on to a longer life (Node 20 has no AsyncDisposableStack). */
class AsyncDisposables implements AsyncDisposable {
  #all: AsyncDisposable[] = []

  take<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#all.push(resource)
    return resource
  }

  keep(): AsyncDisposables {
    const kept = new AsyncDisposables()
    kept.#all = this.#all
    this.#all = []
    return kept
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#all.splice(0).reverse()) await resource[Symbol.asyncDispose]()
  }
}
