import * as v from 'valibot'
import { check, Problem, parseJson, printable, redact } from '#std'
import type { Credential } from './credential.ts'
import { helperFailed } from './problems.ts'

const answer = v.looseObject({ Username: v.string(), Secret: v.string() })
const LONGEST = 1 << 20
const PATIENCE = 60_000

/**
 * Asks a credential helper, a program `docker-credential-<name>` that is told the host on its standard input (the protocol of docker/docker-credential-helpers).
 * Undefined if it knows nothing of the host. Throws a `Problem` (`CREDENTIAL_HELPER`) if it is not there or fails.
 */
export async function askHelper(
  name: string,
  server: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Credential | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw helperFailed(name, 'that is no name of a program')
  const program = `docker-credential-${name}`
  const { code, output, errors } = await run(program, server, environment)
  const said = `${output}\n${errors}`
  if (code !== 0) {
    if (/credentials not found in native keychain/i.test(said)) return undefined
    const words = printable(redact(said.trim())).slice(0, 300)
    throw helperFailed(name, words === '' ? `it ended with code ${code}` : `it says ${JSON.stringify(words)}`)
  }
  try {
    const { Username, Secret } = check(answer, parseJson(output, program), program)
    if (Secret === '') return undefined
    return Username === '<token>'
      ? { kind: 'identity', token: Secret }
      : { kind: 'basic', username: Username, password: Secret }
  } catch (error) {
    // What it said may hold the secret, so none of it is shown.
    if (error instanceof Problem) throw helperFailed(name, 'its answer is not that of a credential helper')
    throw error
  }
}

async function run(
  program: string,
  input: string,
  environment: Readonly<Record<string, string | undefined>>,
) {
  const { spawn } = await import('node:child_process')
  return await new Promise<{ code: number | null; output: string; errors: string }>((resolve, reject) => {
    const child = spawn(program, ['get'], { env: environment, stdio: 'pipe' })
    // The `timeout` of `spawn` goes on waiting for a program that was never there.
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
    const kept = { output: '', errors: '' }
    const keep = (which: keyof typeof kept) => (chunk: Buffer) => {
      if (kept[which].length < LONGEST) kept[which] += chunk.toString('utf8')
    }
    child.stdout.on('data', keep('output'))
    child.stderr.on('data', keep('errors'))
    child.stdin.on('error', () => {})
    child.on('error', error => {
      clearTimeout(timer)
      reject(helperFailed(program.replace('docker-credential-', ''), error.message, error))
    })
    child.on('close', code => {
      clearTimeout(timer)
      resolve({ code, ...kept })
    })
    child.stdin.end(input)
  })
}
