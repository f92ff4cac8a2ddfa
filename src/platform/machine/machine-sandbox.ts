import { join } from 'node:path'
import {
  type Architecture,
  type AssemblyContext,
  type BaseLock,
  type Catalog,
  DEFAULT_RELEASE,
  fetchTool,
  lockBase,
  lockDigest,
  parseLocks,
  printLocks,
  type Recipe,
  type Target,
  type Tool,
} from '#os'
import { openSandbox, type Sandbox } from '#sandbox'
import type { DebianArchive } from '#sources'
import { isSystemError, type Report, readIfExists, writeDurably } from '#std'
import { driverUnknown, notLinux } from '../problems.ts'
import { shippedCatalog } from '../shipped.ts'

export type SandboxDriver = 'auto' | 'bwrap' | 'plain'

/** What the sandbox of a machine is opened with. */
export interface MachineSandboxOptions {
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** For packages that have to be fetched; `openMachineSources` gives it. */
  readonly sources: { readonly archive: () => Promise<DebianArchive> }
  readonly report: Report
  /** Default `auto`: `SLIPWAY_SANDBOX` if set, else bubblewrap. */
  readonly driver?: SandboxDriver | undefined
  /** Default: what is shipped. */
  readonly catalog?: Catalog | undefined
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' }
const NAME = 'tool:bubblewrap'
const PROGRAM = 'usr/bin/bwrap'

/**
 * Opens the sandbox of this machine: bubblewrap from PATH if it can mount overlays, else one that is fetched once from Debian's signed archive, kept
 * below `<home>/tools` and run without being installed. Throws a `Problem` (`NOT_LINUX`, `SANDBOX_START_FAILED`, or what fetching throws).
 */
export async function openMachineSandbox(options: MachineSandboxOptions): Promise<Sandbox> {
  if (process.platform !== 'linux') throw notLinux(process.platform)
  return openSandbox({
    temporary: join(options.home, 'sandbox'),
    environment: options.environment,
    overlays: !(await onlyProfiledMayUnshare()),
    driver: options.driver ?? driverOf(options.environment),
    fetchBwrap: () => fetchBubblewrap(options),
  })
}

/** Where AppArmor lets only profiled programs make user namespaces (Ubuntu 23.10 and newer), the installed bubblewrap is the one that may. */
async function onlyProfiledMayUnshare(): Promise<boolean> {
  return (await readIfExists('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim() === '1'
}

function driverOf({ SLIPWAY_SANDBOX: text }: MachineSandboxOptions['environment']): SandboxDriver {
  if (text === undefined || text === '') return 'auto'
  if (text === 'auto' || text === 'bwrap' || text === 'plain') return text
  throw driverUnknown(text)
}

/**
 * Fetches bubblewrap, exactly as the shipped lock says. Mirrors drop old packages: then the newest signed ones are taken in their place, and remembered
 * below `<home>/tools` until slipway itself ships another lock.
 */
export async function fetchBubblewrap(options: MachineSandboxOptions): Promise<Tool> {
  const { home, sources, report, catalog = shippedCatalog() } = options
  const arch = ARCHITECTURES[process.arch]
  if (!arch) throw notLinux(`${process.platform} on ${process.arch}`)
  const context: AssemblyContext = { home, archive: await sources.archive(), report }
  const target: Target = { release: DEFAULT_RELEASE, arch }
  const recipe = await catalog.recipe(NAME)
  const shippedLock = await catalog.lock(recipe, target)
  const remembered = join(
    home,
    'tools',
    `bubblewrap-${shippedLock ? lockDigest(shippedLock).slice(7, 19) : arch}.lock.json`,
  )
  const lock = (await readLock(remembered)) ?? shippedLock
  if (!lock) return await fetchNewest(recipe, target, remembered, context)
  try {
    return await fetchTool(recipe, lock, PROGRAM, context)
  } catch (error) {
    if (!isSystemError(error, 'BASE_PACKAGES_VANISHED')) throw error
    return await fetchNewest(recipe, target, remembered, context)
  }
}

async function fetchNewest(
  recipe: Recipe,
  target: Target,
  remembered: string,
  context: AssemblyContext,
): Promise<Tool> {
  const lock = await lockBase(recipe, target, context)
  const tool = await fetchTool(recipe, lock, PROGRAM, context)
  await writeDurably(remembered, printLocks([lock]))
  return tool
}

async function readLock(path: string): Promise<BaseLock | undefined> {
  const text = await readIfExists(path)
  return text === undefined ? undefined : parseLocks(text, path)[0]
}
