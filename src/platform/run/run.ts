import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EXEC_ENV_LABEL } from '#cnb'
import { environmentOf, type LayoutStore, labelsOf, type StoredImage } from '#oci'
import type { Mount, Outcome, Running, RunSpec, Sandbox } from '#sandbox'
import type { DebianArchive } from '#sources'
import { isSystemError, ownedDirectory, type Report } from '#std'
import { openBases } from '../bases/bases.ts'
import type { BindingSource } from '../build/platform-directory.ts'
import { findImage } from '../images/find-image.ts'
import { openForeignImages } from '../images/foreign-image.ts'
import { openImageWays } from '../images/image-ways.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { openMachineSandbox, type SandboxDriver } from '../machine/machine-sandbox.ts'
import { otherPlatform, portWithoutNetwork } from '../problems.ts'
import { copyImageRoot, openImageRoot } from '../roots/image-root.ts'
import { findInRoot } from '../roots/root-files.ts'
import { shippedCatalog } from '../shipped.ts'
import { openStore } from '../store.ts'
import { processOf } from './image-process.ts'
import { findUser } from './image-user.ts'
import { BINDINGS_INSIDE, runMounts } from './mounts.ts'
import { type PublishedPort, publishPorts } from './ports.ts'
import { requireProgram } from './program-check.ts'

/** How an image is run. */
export interface RunRequest {
  /** Name or digest. A base of ours that is not in the store is made; `docker://REFERENCE`, and a name with a registry that the store does not know, is pulled into it. */
  readonly image: string
  /** Hosts of registries that may be spoken to without TLS. */
  readonly insecureRegistries?: readonly string[]
  /** Arguments for the entrypoint; in place of the image's own if there are any. */
  readonly words: readonly string[]
  readonly process: string | undefined
  readonly ports: readonly PublishedPort[]
  readonly variables: Readonly<Record<string, string>>
  readonly bindings: readonly BindingSource[]
  readonly volumes: readonly Mount[]
  readonly network: 'host' | 'none'
  readonly memoryBytes: number | undefined
}

/** What running is handed. */
export interface RunContext {
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly sources: { readonly archive: () => Promise<DebianArchive> }
  readonly report: Report
  readonly driver?: SandboxDriver | undefined
  /** True if a person sits at a terminal. */
  readonly interactive: boolean
  /** Stops what happens before the start; afterwards the program is sent signals instead. */
  readonly signal: AbortSignal
  /** Ends the program at once, with all its processes. */
  readonly kill: AbortSignal
  /** Called once the program can be sent signals. */
  readonly started: (running: Running) => void
  readonly stdin?: RunSpec['stdin']
  readonly stdout?: RunSpec['stdout']
  readonly stderr?: RunSpec['stderr']
}

const HOSTNAME = 'slipway'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Runs an image of the store in the sandbox, as its configuration says, and forgets all that it wrote to its own files. Returns the exit code: the program's own,
 * 128 + n where signal n ended it. Throws a `Problem` (`IMAGE_MISSING`, `RUN_…`, `LAYER_REFUSED`, `SANDBOX_…`).
 */
export async function runImage(request: RunRequest, context: RunContext): Promise<number> {
  const { network, ports, memoryBytes } = request
  const { home, report, interactive, signal } = context
  if (network === 'none' && ports.length > 0) throw portWithoutNetwork()
  await using sandbox = await openMachineSandbox(context)
  const image = await chooseImage(request, context)
  await using directory = await ownedDirectory(join(home, 'runs'), 'run-')
  const lower = await openImageRoot(image, home, directory.path, report)
  const user = await findUser(lower, image.config.config?.User ?? '')
  const { command, cwd } = await processOf(image.config, lower, {
    type: request.process,
    words: request.words,
  })
  const env = environmentFor(request, image, {
    home: user.home,
    interactive: interactive && context.environment.TERM,
  })
  const program = { path: env.PATH ?? PATH, cwd, hidden: request.volumes.map(({ inside }) => inside) }
  await requireProgram(lower, command[0] as string, program)
  const missing = !(await findInRoot(lower, cwd)) && !request.volumes.some(({ inside }) => inside === cwd)
  const mounts = await runMounts(directory.path, {
    ...request,
    hostname: HOSTNAME,
    missingDirectory: missing ? cwd : undefined,
  })
  signal.throwIfAborted()
  await using _ = await publishPorts(ports, report)
  if (memoryBytes !== undefined)
    report.detail(`Memory is limited to ${memoryBytes} bytes by ${sandbox.enforcement.memory}.`)
  const outcome = await runOn(sandbox, lower, directory.path, report, {
    command,
    cwd,
    env,
    mounts: [...mounts, ...request.volumes],
    uid: user.uid,
    gid: user.gid,
    hostname: HOSTNAME,
    network,
    stdin: context.stdin ?? 'inherit',
    stdout: context.stdout ?? 'inherit',
    stderr: context.stderr ?? 'inherit',
    signal: context.kill,
    started: context.started,
    ...(memoryBytes !== undefined && { limits: { memoryBytes } }),
  })
  return exitCodeOf(outcome, report)
}

async function chooseImage(request: RunRequest, context: RunContext): Promise<StoredImage> {
  const { image: name } = request
  const store = openStore(context.home)
  const image = (await pulled(request, context, store)) ?? (await ownImage(name, context, store))
  const { os, architecture } = image.config
  const machine = `linux/${machineArchitecture()}`
  if (`${os}/${architecture}` !== machine) throw otherPlatform(name, `${os}/${architecture}`, machine)
  return image
}

/** An image that is to be had from its registry; undefined where the name does not say so. */
async function pulled(
  { image: name, insecureRegistries: insecure }: RunRequest,
  { home, environment, report, signal }: RunContext,
  store: LayoutStore,
): Promise<StoredImage | undefined> {
  const remote = name.startsWith('docker://')
  if (!remote && (!/^(?:localhost|[^/]*[.:][^/]*)\//.test(name) || (await store.image(name))))
    return undefined
  await using ways = openImageWays({ home, environment, report, signal, insecure })
  await using images = openForeignImages({ store, ways, workingDirectory: home, report })
  return await images.stored(name)
}

async function ownImage(
  name: string,
  { home, sources, report }: RunContext,
  store: LayoutStore,
): Promise<StoredImage> {
  const catalog = shippedCatalog()
  if ((await catalog.has(name)) && (await store.resolve(name)) === undefined) {
    const bases = openBases({ home, store, catalog, archive: sources.archive, report })
    await bases.image(await bases.find(name))
  }
  return await findImage(store, name)
}

function environmentFor(
  { variables, bindings }: RunRequest,
  image: StoredImage,
  { home, interactive }: { home: string; interactive: string | false | undefined },
): Record<string, string> {
  return {
    PATH,
    HOME: home,
    HOSTNAME,
    ...(interactive && { TERM: interactive }),
    ...environmentName(image),
    ...Object.fromEntries(environmentOf(image.config)),
    ...(bindings.length > 0 && { SERVICE_BINDING_ROOT: BINDINGS_INSIDE }),
    ...variables,
  }
}

/** The launcher starts only what is for its execution environment: that which the image was built for, if nobody says another. */
function environmentName({ config }: StoredImage): Record<string, string> {
  const name = labelsOf(config)[EXEC_ENV_LABEL]
  return name === undefined ? {} : { CNB_EXEC_ENV: name }
}

/** Runs on an overlay, or on a copy where the machine has no overlays for us. */
async function runOn(
  sandbox: Sandbox,
  lower: readonly string[],
  directory: string,
  report: Report,
  spec: RunSpec,
): Promise<Outcome> {
  if (sandbox.overlays) {
    try {
      return await sandbox.run({ ...spec, root: { lower } })
    } catch (error) {
      if (!isSystemError(error, 'SANDBOX_NO_OVERLAYS')) throw error
    }
  }
  const writable = join(directory, 'root')
  await mkdir(writable, { mode: 0o755 })
  await copyImageRoot(lower, writable, report)
  return await sandbox.run({ ...spec, root: { writable } })
}

function exitCodeOf({ exitCode, reason }: Outcome, report: Report): number {
  if (exitCode !== undefined) return exitCode
  if (reason === 'memory') {
    report.warn('The app was ended because it needed more than --memory allows.')
    return 137
  }
  return 130
}
