import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { DESCRIPTORS } from './arguments.ts'
import { inheritableDescriptors } from './descriptors.ts'
import type { Ground } from './ground.ts'
import type { Cgroup } from './limits/cgroup.ts'
import { joinCgroup } from './limits/enforce.ts'
import type { Limits } from './spec.ts'
import type { Wires } from './wires.ts'

/** A shell that waits to be told what to become. If we die before that, it ends. */
export interface Starter {
  readonly child: ChildProcess
  readonly wires: Wires
  /** The control group that it is in, or on its way into; none where its limits need none. */
  readonly group: Promise<Cgroup | undefined>
}

/**
 * What a shell sets before bubblewrap starts, because Node cannot for a child alone: the mask for new files, no core dumps. The first line of the arguments is
 * the command that it becomes; it reads no byte further.
 */
const SCRIPT = `umask 022; ulimit -c 0; n='
'; IFS= read -r command <&${DESCRIPTORS.arguments} && eval "exec $command"`

/** Starts a shell, and has it taken into a control group meanwhile. */
export function startShell(ground: Ground, wires: Wires, limits: Limits | undefined): Starter {
  const all: StdioOptions = [...wires.stdio, 'pipe', 'pipe', 'pipe', 'pipe']
  for (const leaked of inheritableDescriptors()) {
    if (leaked >= all.length) while (all.length < leaked) all.push('ignore')
    if (leaked > DESCRIPTORS.gate) all[leaked] = ground.nothing
  }
  const child = spawn('/bin/sh', ['-c', SCRIPT], { env: {}, cwd: '/', detached: true, stdio: all })
  wires.handedOver()
  // One that cannot start is found dead by whoever wants it, which may be later.
  child.on('error', () => {})
  child.stdin?.on('error', () => {}) // Whoever is at the other end need not read it.
  for (const number of Object.values(DESCRIPTORS)) handed(child, number).on('error', () => {})
  const group = joinCgroup(ground, limits, child.pid)
  group.catch(() => {})
  return { child, wires, group }
}

/** Has the shell become bubblewrap with these arguments, around a command. */
export function become(
  { child }: Starter,
  ground: Ground,
  words: readonly string[],
  command: readonly string[],
): void {
  const own = [...ground.command, '--args', String(DESCRIPTORS.arguments), '--', ...command]
  const rest = words.map(word => `${word}\0`).join('')
  handed(child, DESCRIPTORS.arguments).end(`${own.map(quoted).join(' ')}\n${rest}`)
  handed(child, DESCRIPTORS.filter).end(ground.filter ?? '')
}

/** A word as the script's `eval` reads it, in one line. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`).replaceAll('\n', `'"$n"'`)}'`
}

/** Our end of a stream that bubblewrap was started with. */
export function handed(child: ChildProcess, number: number): Duplex {
  return (child.stdio as unknown as readonly Duplex[])[number] as Duplex
}
