/** Progress of one long job; `add` counts bytes (or items) as they are done, disposal ends it. */
export interface Progress extends Disposable {
  add(amount: number): void
}

/** What a job says while it works. Areas below the CLI never print: they are handed one of these. */
export interface Report {
  /** A phase of the build starts: `ANALYZING`, `DETECTING`, … */
  phase(name: string): void
  /** One line a user wants to read. */
  line(text: string): void
  /** One line only `--verbose` shows. */
  detail(text: string): void
  /** Something is odd, and the job goes on. */
  warn(text: string): void
  /** Output of a program that runs for us, verbatim bytes as they come. */
  output(bytes: Uint8Array): void
  /** A job that can take over a second. `total` in bytes where known. */
  progress(label: string, total?: number): Progress
}

/** Says nothing. */
export const silent: Report = {
  phase() {},
  line() {},
  detail() {},
  warn() {},
  output() {},
  progress: () => ({ add() {}, [Symbol.dispose]() {} }),
}

/** Keeps every line, for tests: phases as `===> NAME`, warnings as `Warning: …`, output decoded. */
export function recording(): Report & { readonly lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    phase: name => void lines.push(`===> ${name}`),
    line: text => void lines.push(text),
    detail: text => void lines.push(text),
    warn: text => void lines.push(`Warning: ${text}`),
    output: bytes => void lines.push(...new TextDecoder().decode(bytes).replace(/\n$/, '').split('\n')),
    progress: () => ({ add() {}, [Symbol.dispose]() {} }),
  }
}
