import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openBases } from '../../src/platform/bases/bases.ts'
import { openMachineArchive } from '../../src/platform/machine/machine-archive.ts'
import { openMachineSandbox } from '../../src/platform/machine/machine-sandbox.ts'
import { shippedCatalog } from '../../src/platform/shipped.ts'
import { openStore } from '../../src/platform/store.ts'
import type { Mount, Outcome, RunSpec, Sandbox } from '../../src/sandbox/mod.ts'
import { isSystemError, silent } from '../../src/std/mod.ts'
import { checkout } from './cli.ts'

/** The ordinary user that the tests of the sandbox run as too, where they are started by root. */
const ORDINARY = 1500

/** What a program in the sandbox said, and how it ended. */
export interface Said extends Outcome {
  readonly output: string
}

/** A sandbox on the real build base, and a place of its own on the host. */
export interface SandboxGround extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly root: string
  /** A directory of the host that holds everything of this ground: `workspace`, `layers`, `buildpacks`, `platform`, and what is secret. */
  readonly place: string
  /** The specification of a run as builds have it: app and layers writable, the rest read-only. */
  spec(command: readonly string[], change?: Partial<RunSpec>): RunSpec
  run(command: readonly string[], change?: Partial<RunSpec>): Promise<Said>
}

/** Why this machine can make no sandbox; undefined where it can. Tests are then skipped, saying so. */
export async function whyNoSandbox(): Promise<string | undefined> {
  try {
    await using ground = await openGround()
    await ground.run(['true'])
    return undefined
  } catch (error) {
    if (isSystemError(error, 'SANDBOX_START_FAILED', 'NOT_LINUX')) return `no sandbox here: ${error.message}`
    throw error
  }
}

/** Opens the ground in the state directory that all stories share; what it needs there is made by the ordinary user. */
export async function openGround(): Promise<SandboxGround> {
  if (isRoot) await asOrdinaryUser(['--import', 'tsx', import.meta.filename])
  const home = join(checkout, '.cache/stories')
  const job = { home, userHome: homedir(), environment: process.env, report: silent, now: Date.now }
  await using sources = openMachineArchive(job)
  const { archive } = sources
  const bases = openBases({
    home,
    store: openStore(home),
    catalog: shippedCatalog(),
    archive,
    report: silent,
  })
  const { directory: root } = await bases.root(await bases.find('build:base'))
  const place = mkdtempSync(join(tmpdir(), 'slipway-sandbox-'))
  for (const name of ['workspace', 'layers', 'buildpacks', 'platform', 'state']) mkdirSync(join(place, name))
  const sandbox = await openMachineSandbox({ ...job, sources })
  const spec = (command: readonly string[], change: Partial<RunSpec> = {}): RunSpec => ({
    root,
    command,
    cwd: '/workspace',
    env: { PATH: '/usr/bin:/bin', HOME: '/home/cnb', LANG: 'C.UTF-8' },
    network: 'none',
    ...change,
    mounts: [...buildMounts(place), ...(change.mounts ?? [])],
  })
  return {
    sandbox,
    root,
    place,
    spec,
    async run(command, change) {
      let output = ''
      const take = (bytes: Uint8Array) => {
        output += Buffer.from(bytes).toString('latin1')
      }
      const outcome = await sandbox.run({ stdout: take, stderr: take, ...spec(command, change) })
      return { ...outcome, output }
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      rmSync(place, { recursive: true, force: true })
    },
  }
}

function buildMounts(place: string): Mount[] {
  return [
    { mode: 'tmpfs', inside: '/tmp' },
    { mode: 'tmpfs', inside: '/home/cnb' },
    { mode: 'ro', host: join(place, 'buildpacks'), inside: '/cnb/buildpacks' },
    { mode: 'ro', host: join(place, 'platform'), inside: '/platform' },
    { mode: 'rw', host: join(place, 'workspace'), inside: '/workspace' },
    { mode: 'rw', host: join(place, 'layers'), inside: '/layers' },
  ]
}

/** True if the tests run as root, so that an ordinary user has to be tried too. */
export const isRoot = process.getuid?.() === 0

/** Runs a test file once more as an ordinary user. Rejects with what it said if any test fails. */
export function testAsOrdinaryUser(file: string, uid = ORDINARY): Promise<string> {
  return asOrdinaryUser(['--import', 'tsx', '--test', '--test-reporter=spec', file], uid)
}

/** Runs Node.js as an ordinary user with a home of its own. */
export async function asOrdinaryUser(node: readonly string[], uid = ORDINARY): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'slipway-user-'))
  mkdirSync(join(checkout, '.cache/stories'), { recursive: true })
  await promisify(execFile)('chown', [`${uid}:${uid}`, home])
  await promisify(execFile)('chown', [`${ORDINARY}:${ORDINARY}`, join(checkout, '.cache/stories')])
  try {
    const identity = ['--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--']
    const words = [...identity, process.execPath, ...node]
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const options = { env: { ...env, HOME: home }, cwd: checkout, maxBuffer: 1 << 26 }
    const { stdout } = await promisify(execFile)('setpriv', words, options)
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`as an ordinary user:\n${stdout}\n${stderr}`)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

// Run as a program it only makes what the ground needs.
if (process.argv[1] === import.meta.filename) await (await openGround())[Symbol.asyncDispose]()
