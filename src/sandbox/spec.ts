/** A host directory or file that the program sees at `inside`, or an empty memory file system. Both paths are absolute. */
export type Mount =
  | {
      readonly mode: 'ro' | 'rw'
      /** May not itself be a symbolic link: resolve it first, when it is yours to trust. */
      readonly host: string
      readonly inside: string
      /** Left out, without complaint, where the root has nothing at `inside` to mount on. */
      readonly optional?: boolean
    }
  | {
      readonly mode: 'tmpfs'
      readonly inside: string
      /** Limit of its size; without one, half of the machine's memory. */
      readonly sizeBytes?: number
      readonly optional?: boolean
    }

/** A root put together from directories (lowest first) below a writable layer that is forgotten at the end. */
export interface EphemeralRoot {
  readonly lower: readonly string[]
}

/** A directory of the host that becomes a writable `/`: a copy that the caller throws away, for machines without overlays. */
export interface WritableRoot {
  readonly writable: string
}

/** What one program may use up. What is not given is not limited. How each limit is kept: `Sandbox.enforcement`. */
export interface Limits {
  /** Wall time. */
  readonly seconds?: number
  /** Processes and threads alive at once. */
  readonly processes?: number
  /** Memory of all processes together. */
  readonly memoryBytes?: number
  /** Bytes on disk below all writable mounts together, what was there before included. */
  readonly diskBytes?: number
}

/** A program that runs. */
export interface Running {
  /**
   * Sends a signal to the program itself, or to all processes that have not left its group (as a terminal does on Ctrl-C). One that has ended
   * already is fine.
   */
  kill(signal: NodeJS.Signals, whom?: 'program' | 'group'): Promise<void>
}

/** Where output goes: to a function, chunk by chunk, or where this process's own output goes. */
export type Output = ((bytes: Uint8Array) => void) | 'inherit' | 'ignore'

/** One program and everything that it is handed. Nothing else of the host is there. */
export interface RunSpec {
  /** Host directory that becomes a read-only `/`, or a writable root. Default: the host's own `/`, for the `plain` driver alone. */
  readonly root?: string | EphemeralRoot | WritableRoot
  /** Program and arguments; a name without `/` is looked up in `env.PATH` inside. */
  readonly command: readonly string[]
  /** Working directory inside. */
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** Put in place in this order. */
  readonly mounts: readonly Mount[]
  /** The one user and group that exist inside; on the host they are the caller. Default 1001. */
  readonly uid?: number
  readonly gid?: number
  /** Default `slipway`. */
  readonly hostname?: string
  readonly network: 'none' | 'host'
  /**
   * Bytes for stdin, or `inherit`; default: nothing. Bytes that are promised come by way of a socket, so that the program can start before they are known; a promise
   * that fails ends the program.
   */
  readonly stdin?: Uint8Array | Promise<Uint8Array> | 'inherit'
  readonly stdout?: Output
  readonly stderr?: Output
  readonly limits?: Limits
  /** Kills the program with all its processes. */
  readonly signal?: AbortSignal
  /** Called once the program can be sent signals. */
  readonly started?: (running: Running) => void
}

/** How a program ended. */
export interface Outcome {
  /** As a shell would say it: 128 + number for a program ended by a signal. Not set where we ended it. */
  readonly exitCode?: number
  /** Name of the signal that ended it (`SIGSEGV`). A program that itself exits with 128 + n cannot be told from one that a signal ended. */
  readonly signal?: string
  /** `exit` and `signal`: by itself. The rest: we ended it, because of a limit or the abort signal. */
  readonly reason: 'exit' | 'signal' | 'timeout' | 'aborted' | 'memory' | 'disk' | 'processes'
  /** Wall time in seconds. */
  readonly seconds: number
}

/** How each limit is kept on this machine, in words for a person. */
export interface Enforcement {
  readonly processes: string
  readonly memory: string
  readonly disk: string
}

/** A way to run programs so that they reach nothing but what they are handed. Disposal removes its temporary files. */
export interface Sandbox extends AsyncDisposable {
  readonly driver: 'bwrap' | 'plain'
  /** One line for the log: what isolates, and what it does not. */
  readonly description: string
  readonly enforcement: Enforcement
  /** True if `EphemeralRoot` works. */
  readonly overlays: boolean
  /**
   * Runs a program. Resolves when it has ended and every process that it started is dead, however they tried to stay. Throws a `Problem`
   * (`SANDBOX_START_FAILED`, `SANDBOX_COMMAND_MISSING`, `SANDBOX_MOUNT_REFUSED`, …) if the program did not start at all.
   */
  run(spec: RunSpec): Promise<Outcome>
  /**
   * Says that a run with these limits, no stdin, and output that is read, comes soon: it then starts sooner. If one with a `promised` stdin may come instead, the one without finds a closed
   * socket there.
   */
  prepare(limits: Limits, stdin?: 'promised'): void
}
