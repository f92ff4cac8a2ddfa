import { printable, type Report, redact } from '#std'
import { inputInvalid } from './problems.ts'

/** How much is said, least last (`-log-level`, `CNB_LOG_LEVEL`). */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

/** What the programs of the lifecycle say: a report, and failures. */
export interface PhaseLog extends Report {
  error(text: string): void
}

/** Reads a log level. Throws a `Problem` (`PHASE_INPUT_INVALID`, exit code 3). */
export function parseLogLevel(text: string): LogLevel {
  const level = LEVELS.find(
    each => each === text.toLowerCase() || (each === 'warn' && text.toLowerCase() === 'warning'),
  )
  if (!level)
    throw inputInvalid(`${JSON.stringify(text)} is not a log level`, `Use one of ${LEVELS.join(', ')}.`)
  return level
}

/**
 * A log in the form of the reference lifecycle, which platforms pass on line by line: everything on one stream, `===> PHASE`, `Warning: …`,
 * `ERROR: …`; output of buildpacks is passed on as it is. What comes from outside is made printable, credentials are blotted out.
 */
export function phaseLog(write: (bytes: Uint8Array | string) => void, level: LogLevel): PhaseLog {
  const shown = (each: LogLevel) => LEVELS.indexOf(each) >= LEVELS.indexOf(level)
  const say = (each: LogLevel, prefix: string) => (text: string) => {
    if (shown(each)) write(`${prefix}${printable(redact(text))}\n`)
  }
  return {
    phase: name => shown('info') && write(`===> ${name}\n`),
    line: say('info', ''),
    detail: say('debug', ''),
    warn: say('warn', 'Warning: '),
    error: say('error', 'ERROR: '),
    output: bytes => write(bytes),
    progress: () => ({ add() {}, [Symbol.dispose]() {} }),
  }
}

/** A log that keeps what is for `debug` alone until it is known whether it is wanted: all of it where a detection fails. */
export function holdingDetails(log: PhaseLog): PhaseLog & { tellAll(): void } {
  const held: string[] = []
  return {
    ...log,
    detail(text) {
      held.push(text)
      log.detail(text)
    },
    tellAll() {
      for (const text of held) log.line(text)
    },
  }
}
