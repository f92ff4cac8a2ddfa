import { spawn } from 'node:child_process'
import { isSystemError } from '#std'
import type { Log } from './log.ts'
import { programFailed, programMissing } from './problems.ts'

export interface ProgramOptions {
  readonly directory: string
  /** The whole environment of the program. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
}

/**
 * Runs a program; what it prints passes through to the log. It gets no input. Throws a `Problem` if it cannot be
 * started (`PROGRAM_MISSING`) or does not succeed (`PROGRAM_FAILED`).
 */
export async function runProgram(
  command: string,
  parameters: readonly string[],
  { directory, environment, log }: ProgramOptions,
): Promise<void> {
  await ran(command, parameters, { directory, environment, log }, chunk => log.output(chunk))
}

/** Runs a program and returns what it prints to standard output; everything else as `runProgram`. */
export async function outputOfProgram(
  command: string,
  parameters: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  let text = ''
  await ran(command, parameters, options, chunk => {
    text += chunk
  })
  return text
}

async function ran(
  command: string,
  parameters: readonly string[],
  { directory, environment, log }: ProgramOptions,
  take: (chunk: string) => void,
): Promise<void> {
  const child = spawn(command, parameters, {
    cwd: directory,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => log.output(chunk))
  const how = await new Promise<string | undefined>((done, failed) => {
    child.on('error', error =>
      failed(isSystemError(error, 'ENOENT', 'EACCES', 'ENOEXEC') ? programMissing(command, error) : error),
    )
    child.on('close', (code, signal) =>
      done(code === 0 ? undefined : signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`),
    )
  })
  log.flush()
  if (how !== undefined) throw programFailed([command, ...parameters].join(' '), how)
}
