import { styleText } from 'node:util'
import { type Progress, printable, type Report, redact } from '#std'

/** What a terminal report needs to know of the stream it writes to. */
export interface TerminalOptions {
  readonly stream: NodeJS.WriteStream
  readonly colour: boolean
  /** Redraws one live line of progress; false for logs, where each long job says one line when it has ended. */
  readonly live: boolean
  readonly level: 'quiet' | 'normal' | 'verbose'
}

interface Job {
  readonly label: string
  readonly total: number | undefined
  readonly start: number
  done: number
}

/** Progress is drawn this often at the most, in milliseconds, and only for jobs older than `PATIENCE`. */
const REDRAW = 100
const PATIENCE = 1000

/** A report that writes to a terminal or a log, with what comes from outside made printable. */
export function terminalReport({ stream, colour, live, level }: TerminalOptions): Report & Disposable {
  const jobs = new Set<Job>()
  let drawn = false
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text) : text

  const clear = () => {
    if (drawn) stream.write('\r\u001b[2K')
    drawn = false
  }
  const write = (text: string) => {
    clear()
    stream.write(`${text}\n`)
  }
  const draw = () => {
    const now = performance.now()
    const shown = [...jobs].filter(job => now - job.start > PATIENCE)
    if (shown.length === 0) return clear()
    const text = shown.map(job => progressText(job, now)).join(' · ')
    clear()
    stream.write(`  ${text.slice(0, Math.max(20, (stream.columns || 80) - 4))}`)
    drawn = true
  }
  const timer = live ? setInterval(draw, REDRAW) : undefined
  timer?.unref()

  return {
    phase: name => level !== 'quiet' && write(paint('cyan', `===> ${name}`)),
    line: text => level !== 'quiet' && write(printable(redact(text))),
    detail: text => level === 'verbose' && write(paint('dim', printable(redact(text)))),
    warn: text => write(`${paint('yellow', 'Warning:')} ${printable(redact(text))}`),
    output(bytes) {
      if (level === 'quiet') return
      clear()
      stream.write(printableOutput(bytes, colour))
    },
    progress(label, total) {
      const job: Job = { label, total, start: performance.now(), done: 0 }
      jobs.add(job)
      return ending(job, () => {
        jobs.delete(job)
        const seconds = (performance.now() - job.start) / 1000
        if (!live && level !== 'quiet' && seconds > 1)
          write(`${label}: ${bytesText(job.done)} in ${seconds.toFixed(1)} s`)
      })
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      clear()
    },
  }
}

function ending(job: Job, end: () => void): Progress {
  return {
    add(amount) {
      job.done += amount
    },
    [Symbol.dispose]: end,
  }
}

function progressText(job: Job, now: number): string {
  const rate = job.done / Math.max(0.001, (now - job.start) / 1000)
  const amount =
    job.total === undefined ? bytesText(job.done) : `${bytesText(job.done)} of ${bytesText(job.total)}`
  const share = job.total ? ` ${Math.min(100, Math.floor((100 * job.done) / job.total))} %` : ''
  return job.done === 0 ? `${job.label} …` : `${job.label} ${amount}${share}, ${bytesText(rate)}/s`
}

/** Bytes for people: `12 B`, `3.4 kB`, `56.7 MB` (decimal units, as registries count). */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return `${(bytes / 1_000_000_000).toFixed(2)} GB`
}

/** Output of a buildpack keeps its colours (SGR sequences) on a colour terminal; any other control is made visible. */
function printableOutput(bytes: Uint8Array, colour: boolean): string {
  const text = redact(new TextDecoder().decode(bytes)).replaceAll('\r\n', '\n').replaceAll('\r', '\n')
  const parts = text.split(/(\u001b\[[0-9;]*m)/)
  return parts.map((part, index) => (index % 2 === 0 ? printable(part) : colour ? part : '')).join('')
}
