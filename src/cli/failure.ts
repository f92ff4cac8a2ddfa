import { constants } from 'node:os'
import { styleText } from 'node:util'
import { isSystemError, Problem, printable, redact } from '#std'

/** How a failure is worded. */
export interface FailureOptions {
  readonly colour: boolean
  readonly verbose: boolean
  /** The person stopped the command; whatever failed then needs no explanation. */
  readonly aborted: boolean
}

/** What, why and what to do, in one screen. A bug gets its stack, because its reader is a developer. */
export function failureText(error: unknown, { colour, verbose, aborted }: FailureOptions): string {
  const head = colour ? styleText('red', 'ERROR:') : 'ERROR:'
  if (aborted) return `${head} Stopped. Nothing half-made was kept; run the command again.\n`
  if (error instanceof Problem) {
    const cause =
      verbose && error.cause instanceof Error ? `\n  Cause: ${error.cause.stack ?? error.cause.message}` : ''
    return `${head} ${printable(redact(`${error.what}\n  Why: ${indent(error.why)}\n  What to do: ${indent(error.fix)}${cause}`))}\n`
  }
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
    const place = error.path ? ` (while writing ${error.path})` : ''
    return `${head} The disk is full${place}.\n  Why: the file system that holds slipway's store has no room left.\n  What to do: free some room, or run \`slipway gc\`; nothing half-made was kept.\n`
  }
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS') && error.path) {
    return `${head} ${printable(error.path)} may not be written or read.\n  Why: ${error.code} (${error.syscall}): it belongs to another user, or its file system is read-only.\n  What to do: set SLIPWAY_HOME to a directory of yours, or correct the owner of that one.\n`
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${head} This is a mistake in slipway, not yours.\n${redact(stack)}\n`
}

/** The exit code of a failure: 128 + n where signal n stopped the command, as shells have it; else the problem's own, else 1. */
export function exitCodeOf(error: unknown, stopped: NodeJS.Signals | undefined): number {
  if (stopped !== undefined) return 128 + constants.signals[stopped]
  return error instanceof Problem ? error.exitCode : 1
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n  ')
}
