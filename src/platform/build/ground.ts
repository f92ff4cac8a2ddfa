import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Executor } from '#lifecycle'
import type { LayoutStore, StoredImage } from '#oci'
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
import { openBases } from '../bases/bases.ts'
import { type Builder, openBuilder } from '../builder/builder.ts'
import { findRun } from '../builder/run-image.ts'
import { DEPENDENCY_SOCKET, DEPENDENCY_TREES, serveDependencies } from '../executables/dependencies.ts'
import { NODE_INSIDE, sandboxExecutor } from '../executables/executables.ts'
import { preparedExecutor } from '../executables/prepared-executor.ts'
import { readyExecutor } from '../executables/ready-executor.ts'
import { type ForeignImages, openForeignImages } from '../images/foreign-image.ts'
import type { ImageWays } from '../images/image-ways.ts'
import { type MachineCertificates, machineCertificates } from '../machine/extra-certificates.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { openMachineSandbox } from '../machine/machine-sandbox.ts'
import { builderUnlocked } from '../problems.ts'
import { openUnpacked, type Unpacked } from '../roots/unpacked.ts'
import { shipped, shippedCatalog } from '../shipped.ts'
import { together } from '../together.ts'
import { type AppLock, readAppLock } from './app-lock.ts'
import { type BuildBases, buildBases } from './bases.ts'
import type { BuildDirectory } from './directory.ts'
import { buildNode } from './node.ts'
import type { BuildRequest } from './request.ts'

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
  /** Files of images and archives that the build uses. */
  readonly unpacked: Unpacked
  readonly images: ForeignImages
  /** Set where the build is not on slipway's own base with slipway's own buildpacks. */
  readonly builder: Builder | undefined
  /** Finds another run image than the one in `bases`. */
  readonly findRun: (name: string) => Promise<StoredImage>
}

/** How images of others are reached. */
export interface GroundOptions {
  readonly ways: ImageWays
  /** The registry that the app image goes to. */
  readonly near: string | undefined
  readonly builderName?: string | undefined
}

/** Finds or makes everything that a build stands on. What was made before is only found. */
export async function openBuildGround(
  request: BuildRequest,
  store: LayoutStore,
  { ways, near, builderName }: GroundOptions,
): Promise<BuildGround> {
  const { home, environment, report, signal, path, locked } = request
  if (locked && builderName !== undefined && !builderName.includes('@sha256:'))
    throw builderUnlocked(builderName)
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
  const images = openForeignImages({ store, ways, workingDirectory: request.workingDirectory, report, near })
  const unpacked = openUnpacked(home, report)
  const close = async () => {
    for (const each of [images, unpacked, sources]) await each[Symbol.asyncDispose]()
  }
  try {
    const lock = await readAppLock(path, locked && builderName === undefined)
    const bases = openBases({ home, store, catalog: shippedCatalog(), archive: sources.archive, report })
    const open = async () => {
      const builder =
        builderName === undefined
          ? undefined
          : await openBuilder(await images.find(builderName), builderName, unpacked)
      return {
        builder,
        bases: await buildBases({ store, bases, lock, locked, runImage: request.runImage, builder, images }),
      }
    }
    const [found, node, sandbox] = await together([
      open(),
      buildNode({ home, sources, arch: machineArchitecture(), report }),
      openMachineSandbox({ home, environment, sources, report, driver: request.driver }),
    ])
    return {
      certificates,
      sources,
      lock,
      ...found,
      findRun: name => findRun(name, { store, bases, locked, images }),
      unpacked,
      images,
      node,
      sandbox,
      runtimes: openRuntimes({ ...sources, home, report, locked }, lock.runtimes),
      async [Symbol.asyncDispose]() {
        await sandbox[Symbol.asyncDispose]()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** `later` where only slipway's own buildpacks build, which can be started ahead. */
export function calledLater({ volumes }: BuildRequest, own: boolean): 'later' | undefined {
  return own && volumes.length === 0 ? 'later' : undefined
}

/** Runs buildpacks on that ground, and answers them when they ask for runtimes. */
export interface BuildExecutor extends AsyncDisposable {
  readonly executor: Executor
}

/** Answers buildpacks in the sandbox from now on. `foreign` says that not all of them are slipway's own. */
export async function openBuildExecutor(
  request: BuildRequest,
  { runtimes, certificates, sandbox, node, bases, builder }: BuildGround,
  { path, places }: BuildDirectory,
  foreign: boolean,
): Promise<BuildExecutor> {
  const { home, report, network, volumes } = request
  report.detail(sandbox.description)
  const called = sandbox.driver === 'bwrap' ? calledLater(request, !foreign) : undefined
  const resolve = (asked: RuntimeRequest) => runtimes.resolve(asked)
  const server = await serveDependencies({ directory: join(path, 'dependencies'), resolve, report })
  const executor = await sandboxExecutor({
    sandbox,
    root: bases.build,
    temporary: foreign ? 'disk' : 'memory',
    places: [
      ...(builder?.places ?? []),
      places.platform,
      { host: server.socket, inside: DEPENDENCY_SOCKET },
      { host: join(home, 'trees'), inside: DEPENDENCY_TREES },
      { host: node.path, inside: NODE_INSIDE },
    ],
    network,
    volumes,
    certificates,
    scratch: join(path, 'naming'),
    called,
  })
  const close = () => server[Symbol.asyncDispose]()
  if (volumes.length > 0) return { executor, [Symbol.asyncDispose]: close }
  const buildpacks = shipped('dist/buildpacks')
  if (!called) return { executor: readyExecutor(executor, buildpacks), [Symbol.asyncDispose]: close }
  const prepared = preparedExecutor(executor, { node: `${NODE_INSIDE}/bin/node`, buildpacks, report })
  return {
    executor: readyExecutor(prepared, buildpacks),
    async [Symbol.asyncDispose]() {
      await prepared[Symbol.asyncDispose]()
      await close()
    },
  }
}
