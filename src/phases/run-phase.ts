import { setMaxListeners } from 'node:events'
import { basename, extname } from 'node:path'
import { inheritedEnvironment, type PlatformApi, parsePlatformApi } from '#cnb'
import type { Executor } from '#lifecycle'
import { type ConnectSocket, findDaemon } from '#oci'
import { Problem } from '#std'
import { analyzePhase } from './analyze-phase.ts'
import { buildPhase } from './build-phase.ts'
import { createPhase } from './create-phase.ts'
import { withCredentials } from './credentials.ts'
import { detectPhase } from './detect-phase.ts'
import { readAnalyzed, readGroup, readPlan, readRunImages } from './documents.ts'
import { childExecutor } from './executor.ts'
import { exportInputs, exportPhase } from './export-phase.ts'
import { flagsOf, PHASES, type Phase, VERBS } from './flags.ts'
import { goUsage } from './go-flags.ts'
import { becomeUser, ensureOwner, userVariables } from './identity.ts'
import { type Images, openImages } from './images.ts'
import { type PhaseInputs, readInputs } from './inputs.ts'
import { type PhaseLog, parseLogLevel, phaseLog } from './log.ts'
import type { PhaseContext } from './phase-context.ts'
import { placesOf } from './places.ts'
import { EXIT, extensionsUnsupported, inputInvalid, phaseUnknown, refusesRoot } from './problems.ts'
import { rebasePhase } from './rebase-phase.ts'
import { restorePhase, settleRunImage } from './restore-phase.ts'
import { LIFECYCLE_VERSION } from './version.ts'

/** The process that a program of the lifecycle is. */
export interface PhaseHost {
  /** The name it was started by, and its words. */
  readonly program: string
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  /** Standard output, where a lifecycle says everything; and standard error, where Go prints usage. */
  readonly print: (text: string | Uint8Array) => void
  readonly printUsage: (text: string) => void
  readonly signal: AbortSignal
  /** Connections to a socket that a parent which stays root opens for this process. */
  readonly connect?: ConnectSocket | undefined
  /** Becomes such a parent, and runs the program as its child. Gives the child's exit code. */
  readonly delegate: (socketPath: string) => Promise<number>
}

/**
 * Runs one program of the lifecycle: the phase that its name says (`/cnb/lifecycle/analyzer`), or the verb that is its first word (`lifecycle analyze`).
 * Gives the exit code (CNB platform specification, "Exit Codes"). Says what went wrong, and never throws but for bugs.
 */
export async function runLifecycle(host: PhaseHost): Promise<number> {
  let log = phaseLog(host.print, 'info')
  try {
    const { phase, words } = phaseOf(host)
    if (phase === 'version') return printVersion(host)
    const api = parsePlatformApi(host.environment.CNB_PLATFORM_API)
    const asked = inputsOf(host, phase, api, words)
    if (asked.kind === 'usage') {
      host.printUsage(asked.text)
      return 0
    }
    if (asked.kind === 'version') return printVersion(host)
    log = phaseLog(host.print, parseLogLevel(asked.inputs.logLevel))
    const socket = await rootsSocket(host, asked.inputs)
    if (socket !== undefined) return await host.delegate(socket)
    await runOne(host, asked.inputs, log)
    return 0
  } catch (error) {
    return sayFailure(error, host, log)
  }
}

function phaseOf({ program, words }: PhaseHost): { phase: Phase | 'version'; words: readonly string[] } {
  const name = basename(program, extname(program))
  const own = PHASES.find(each => each === name)
  if (own) return { phase: own, words }
  const [verb = '', ...rest] = words
  if (verb === '-version' || verb === '--version') return { phase: 'version', words: rest }
  const phase = VERBS[basename(verb)]
  if (!phase) throw phaseUnknown(verb, Object.keys(VERBS))
  return { phase, words: rest }
}

function printVersion({ print }: PhaseHost): number {
  print(`${LIFECYCLE_VERSION}\n`)
  return 0
}

/** Go prints the usage after what was wrong with the flags. */
function inputsOf(host: PhaseHost, phase: Phase, api: PlatformApi, words: readonly string[]) {
  try {
    return readInputs(phase, api, words, host.environment, host.workingDirectory)
  } catch (error) {
    if (error instanceof Problem && error.exitCode === EXIT.flags)
      host.printUsage(goUsage(phase, flagsOf(phase, api)))
    throw error
  }
}

/** The daemon's socket, if it will be out of reach once this process has become the user of the build. */
async function rootsSocket(
  { environment, connect }: PhaseHost,
  inputs: PhaseInputs,
): Promise<string | undefined> {
  if (!inputs.daemon || inputs.layout || connect || process.getuid?.() !== 0 || inputs.uid === 0)
    return undefined
  const address = await findDaemon({ environment })
  return address.kind === 'unix' ? address.socketPath : undefined
}

async function runOne(host: PhaseHost, inputs: PhaseInputs, log: PhaseLog): Promise<void> {
  const { phase } = inputs
  for (const word of inputs.positionals.filter(each => each.startsWith('-')))
    log.warn(`${word} comes after an image and so is no flag; flags have to come first`)
  if (['detector', 'restorer', 'builder'].includes(phase) && inputs.positionals.length > 0)
    throw inputInvalid(
      `it was given the word ${inputs.positionals[0]}, and takes none`,
      `Run ${phase} -h to see its flags.`,
    )
  if (phase === 'extender') throw extensionsUnsupported(102)
  if ((phase === 'detector' || phase === 'builder') && process.getuid?.() === 0) throw refusesRoot(phase)
  const context = await prepare(host, inputs, log)
  await using _ = context.closing
  switch (phase) {
    case 'analyzer':
      return void (await analyzePhase(context))
    case 'detector':
      return void (await detectPhase(context, await readAnalyzed(inputs)))
    case 'restorer': {
      const group = await readGroup(inputs)
      const analyzed = await readAnalyzed(inputs)
      if (analyzed) await settleRunImage(context, group, analyzed)
      else log.warn(`Not using analyzed data, usable file not found: ${inputs.analyzed}`)
      return await restorePhase(context, group, analyzed)
    }
    case 'builder':
      return void (await buildPhase(
        context,
        await readGroup(inputs),
        await readPlan(inputs),
        await readAnalyzed(inputs),
      ))
    case 'exporter': {
      const { analyzed } = exportInputs(inputs, await readAnalyzed(inputs))
      return void (await exportPhase(context, await readGroup(inputs), analyzed))
    }
    case 'creator':
      return await createPhase(context)
    case 'rebaser':
      return await rebasePhase(context)
  }
}

async function prepare(host: PhaseHost, inputs: PhaseInputs, log: PhaseLog): Promise<PreparedContext> {
  const { phase, uid, gid } = inputs
  const { signal } = host
  const owner = { uid, gid }
  setMaxListeners(0, signal)
  const environment = await credentialsFor(host, inputs, log)
  if (phase !== 'detector' && phase !== 'builder') {
    const volumes = [inputs.cacheDirectory, inputs.launchCache]
    if (phase !== 'exporter') volumes.push(inputs.layers)
    if (phase !== 'rebaser') await ensureOwner(owner, volumes)
    becomeUser(owner, log)
  }
  const own = phase === 'creator' ? await userVariables(uid) : {}
  let images: Promise<Images> | undefined
  let executor: Promise<Executor> | undefined
  return {
    ...{ inputs, log, signal, environment },
    places: placesOf(inputs),
    rules: { owner, parents: 'disk' },
    inherited: inheritedEnvironment({ ...host.environment, ...own }),
    images() {
      const { connect } = host
      const target = inputs.positionals[0] ?? 'none'
      images ??= openImages(inputs, target, { environment, warn: log.warn, signal, connect })
      return images
    },
    executor() {
      executor ??= childExecutor()
      return executor
    },
    closing: {
      async [Symbol.asyncDispose]() {
        await (await images?.catch(() => undefined))?.[Symbol.asyncDispose]()
      },
    },
  }
}

type PreparedContext = PhaseContext & { readonly closing: AsyncDisposable }

/** Files with credentials may be root's alone, so they are read before this process becomes another user. */
async function credentialsFor(
  { environment }: PhaseHost,
  inputs: PhaseInputs,
  log: PhaseLog,
): Promise<PhaseHost['environment']> {
  const { phase, uid, positionals, tags, previousImage, runImage, cacheImage } = inputs
  if (phase === 'detector' || phase === 'builder' || process.getuid?.() !== 0 || uid === 0) return environment
  const runImages = (await readRunImages(inputs)).flatMap(({ image, mirrors }) => [image, ...mirrors])
  const named = [previousImage, runImage, cacheImage].filter(name => name !== undefined)
  const found = await withCredentials(
    environment,
    [...positionals, ...tags, ...named, ...runImages],
    log.warn,
  )
  // What is in root's home is out of reach from now on.
  const { HOME = '/' } = await userVariables(uid)
  return { ...found, HOME, DOCKER_CONFIG: undefined, XDG_CONFIG_HOME: undefined }
}

function sayFailure(error: unknown, { signal }: PhaseHost, log: PhaseLog): number {
  if (signal.aborted) {
    log.error('stopped')
    return EXIT.generic
  }
  if (error instanceof Problem) {
    log.error(`${error.what}: ${error.why}`)
    log.error(error.fix)
    return error.exitCode
  }
  log.error(`${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof Error && error.stack) log.detail(error.stack)
  return EXIT.generic
}
