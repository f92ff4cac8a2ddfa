import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EphemeralRoot, Sandbox } from '#sandbox'
import { isSystemError, ownedDirectory, Problem } from '#std'
import { openMachineSandbox } from '../machine/machine-sandbox.ts'
import type { DoctorOptions } from './doctor.ts'
import { type Finding, findingOf, good, weak } from './finding.ts'

const BY_KERNEL = /^(?:control group|RLIMIT)/

/** Starts the sandbox of this machine, with and without an overlay, and tells how it keeps limits. */
export async function* checkSandbox(options: DoctorOptions): AsyncGenerator<Finding> {
  const name = 'sandbox'
  let sandbox: Sandbox
  try {
    sandbox = await openMachineSandbox(options)
  } catch (error) {
    yield findingOf(name, error)
    return
  }
  await using opened = sandbox
  if (opened.driver === 'plain') {
    yield weak(name, opened.description, 'Leave SLIPWAY_SANDBOX out where this machine lets bubblewrap work.')
    return
  }
  try {
    await start(opened, '/')
  } catch (error) {
    yield findingOf(name, error)
    return
  }
  yield good(name, opened.description)
  yield await checkOverlay(opened, options)
  yield* checkLimits(opened)
}

async function checkOverlay(sandbox: Sandbox, { home }: DoctorOptions): Promise<Finding> {
  const name = 'overlays'
  const fix =
    'Nothing has to be done: `slipway run` copies the files of the image instead, which takes longer.'
  try {
    if (!sandbox.overlays) return weak(name, `${sandbox.description} cannot mount them`, fix)
    await using directory = await ownedDirectory(join(home, 'runs'), 'run-')
    const lower = join(directory.path, 'lower')
    await mkdir(lower)
    await start(sandbox, { lower: [lower] })
    return good(name, 'work without root')
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return weak(name, error.why, fix)
  }
}

/** Goes all the way but for the program: a directory is none. Throws what a run would throw. */
async function start(sandbox: Sandbox, root: string | EphemeralRoot): Promise<void> {
  try {
    await sandbox.run({
      root,
      command: ['/'],
      cwd: '/',
      env: {},
      mounts: [],
      network: 'none',
      stderr: () => {},
    })
  } catch (error) {
    if (!isSystemError(error, 'SANDBOX_COMMAND_MISSING')) throw error
  }
}

function checkLimits({ enforcement }: Sandbox): Finding[] {
  const { memory, processes } = enforcement
  return [
    BY_KERNEL.test(memory)
      ? good('limit of memory', memory)
      : weak(
          'limit of memory',
          memory,
          'For limits that the kernel keeps, start slipway with a control group of its own: `systemd-run --user --scope -p Delegate=yes slipway …`.',
        ),
    BY_KERNEL.test(processes)
      ? good('limit of processes', processes)
      : weak(
          'limit of processes',
          processes,
          'Install util-linux (it has prlimit); Linux 5.14 or newer is needed.',
        ),
  ]
}
