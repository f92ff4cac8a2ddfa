import { printable } from '#std'

/** Where lines go: standard output of the buildpack, or a list in tests. */
export type Sink = (text: string) => void

/** What a buildpack prints, indented as Paketo's buildpacks do it. */
export interface Log {
  /** `slipway Buildpack for Maven 0.1.0`, at the left. */
  title(text: string): void
  /** A line of the buildpack itself, by two blanks. */
  line(text: string): void
  /** A detail below a line, by four blanks. */
  detail(text: string): void
  /** Something is odd, and the build goes on. */
  warn(text: string): void
  /** Output of a program, by six blanks; bytes may come in any pieces. */
  output(chunk: string): void
  /** Ends an open line of `output`. */
  flush(): void
}

/**
 * Opens a log. Nothing is coloured. Control characters of what others wrote become visible, save in program output.
 * `introduce` is called before the first words, so that a buildpack with nothing to say is not announced either.
 */
export function openLog(sink: Sink, introduce?: (log: Log) => void): Log {
  let open = false
  let pending = introduce
  const begin = () => {
    const first = pending
    pending = undefined
    first?.(log)
  }
  const flush = () => {
    if (open) sink('\n')
    open = false
  }
  const print = (indent: number, text: string) => {
    begin()
    flush()
    for (const line of printable(text).split('\n')) sink(`${line === '' ? '' : ' '.repeat(indent)}${line}\n`)
  }
  const log: Log = {
    title(text) {
      print(0, `\n${text}`)
    },
    line: text => print(2, text),
    detail: text => print(4, text),
    warn: text => print(2, `WARNING: ${text}`),
    output(chunk) {
      begin()
      for (const part of chunk.split(/(?<=\n)/)) {
        if (part === '') continue
        sink(open || part === '\n' ? part : `      ${part}`)
        open = !part.endsWith('\n')
      }
    },
    flush,
  }
  return log
}
