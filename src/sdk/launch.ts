/** A process of the image (buildpack specification, launch.toml). */
export interface Process {
  readonly type: string
  /** The program and the arguments that always hold. */
  readonly command: readonly string[]
  /** Arguments that a user's own ones replace. */
  readonly arguments?: readonly string[]
  readonly default?: boolean
  /** Where it starts; the application directory if absent. */
  readonly workingDirectory?: string
}

/** What the image is told to do: processes, labels, and which files of the app make layers of their own. */
export class Launch {
  readonly #processes = new Map<string, Process>()
  readonly #labels = new Map<string, string>()
  readonly #slices: string[][] = []

  /** Adds a process; one of the same type that was added before is replaced. */
  process(process: Process): void {
    this.#processes.set(process.type, process)
  }

  label(key: string, value: string): void {
    this.#labels.set(key, value)
  }

  /** Puts the app's files that match these globs (relative to the app) into a layer of their own. */
  slice(paths: readonly string[]): void {
    this.#slices.push([...paths])
  }

  get processes(): readonly Process[] {
    return [...this.#processes.values()]
  }

  /** The contents of launch.toml, `undefined` where there is nothing to say. */
  table(): Record<string, unknown> | undefined {
    const processes = this.processes.map(each => ({
      type: each.type,
      command: [...each.command],
      args: [...(each.arguments ?? [])],
      default: each.default === true,
      ...(each.workingDirectory !== undefined && { 'working-dir': each.workingDirectory }),
    }))
    const labels = [...this.#labels].map(([key, value]) => ({ key, value }))
    const slices = this.#slices.map(paths => ({ paths }))
    if (processes.length + labels.length + slices.length === 0) return undefined
    return {
      ...(labels.length > 0 && { labels }),
      ...(processes.length > 0 && { processes }),
      ...(slices.length > 0 && { slices }),
    }
  }
}
