import { byBytes } from '#std'
import type { RuntimeContext } from './context.ts'
import { resolveRuntime } from './resolve.ts'
import type { Runtime, RuntimeLock, RuntimeRequest } from './runtime.ts'
import { wantedText } from './versions.ts'

/** The runtimes of one build: each request is answered once, and what was used can be written to a lock. */
export interface RuntimeSession {
  resolve(request: RuntimeRequest): Promise<Runtime>
  /** Lock entries of everything that was resolved so far, by request, sorted. */
  locks(): Readonly<Record<string, RuntimeLock>>
  /** Everything that was resolved so far, each once. */
  runtimes(): readonly Runtime[]
}

/** Starts a session. `locks` are the entries of `slipway.lock`, as an earlier session returned them. */
export function openRuntimes(
  context: Omit<RuntimeContext, 'lock'>,
  locks: Readonly<Record<string, RuntimeLock>> = {},
): RuntimeSession {
  const answers = new Map<string, Promise<Runtime>>()
  const found = new Map<string, Runtime>()
  return {
    resolve(request) {
      const key = lockKey(request)
      const known = answers.get(key)
      if (known) return known
      const lock = Object.hasOwn(locks, key) ? locks[key] : undefined
      const answer = resolveRuntime(request, { ...context, lock }).then(runtime => {
        found.set(key, runtime)
        return runtime
      })
      answers.set(key, answer)
      // A failure is not an answer to keep: the next attempt may find the network again.
      answer.catch(() => answers.delete(key))
      return answer
    },
    locks: () => {
      const entries = [...found].map(([key, { lock }]) => [key, lock] as const)
      return Object.fromEntries(entries.toSorted(([a], [b]) => byBytes(a, b)))
    },
    runtimes: () => [...new Map([...found.values()].map(runtime => [runtime.digest, runtime])).values()],
  }
}

/** The name of a request in a lock: `jre 21 amd64 debian 13`; `*` where no version was asked for. */
export function lockKey({ name, version, arch, base, options }: RuntimeRequest): string {
  const wanted = wantedText(name, version) || '*'
  const chosen = Object.entries(options ?? {})
    .filter(([, value]) => value === true)
    .map(([option]) => `+${option}`)
    .toSorted(byBytes)
  return [name, wanted, arch, base.distro, base.version.split('.')[0], ...chosen].join(' ')
}
