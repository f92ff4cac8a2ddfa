import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The checkout that the tests belong to. */
export const checkout = resolve(import.meta.dirname, '../..')

/** The ordinary user that stories run as where the tests themselves are run by root. */
const ORDINARY = 1500
const isRoot = process.getuid?.() === 0

/** What a finished command left. */
export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A place for one story: an ordinary user's home, slipway's state in it, and a working directory. */
export interface Story extends Disposable {
  readonly directory: string
  readonly home: string
  /** Runs `slipway WORDS…` to its end. */
  slipway(words: readonly string[], options?: RunOptions): Promise<Finished>
  /** Starts `slipway WORDS…` and leaves it running, at the longest until the story ends. */
  start(words: readonly string[], options?: RunOptions): ChildProcess
  /** Gives a file or tree below the story's directory to the story's user. */
  own(path: string): void
  /** Runs any program as the story's user. */
  run(command: string, words: readonly string[], options?: RunOptions): Promise<Finished>
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Runs as this user id instead of the story's (only where the tests run as root). */
  readonly uid?: number
}

/**
 * Opens a place for a story. Downloads are shared between stories (they are verified by digest); with `fresh` the story has its
 * own, empty state. Everything else is removed at the end.
 */
export function story({ fresh = false }: { fresh?: boolean } = {}): Story {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-story-'))
  const shared = join(checkout, '.cache/stories')
  const home = fresh ? join(directory, 'state') : shared
  mkdirSync(home, { recursive: true })
  if (isRoot) {
    chownSync(directory, ORDINARY, ORDINARY)
    if (statSync(home).uid !== ORDINARY) chownSync(home, ORDINARY, ORDINARY)
  }

  const launch = (command: string, words: readonly string[], options: RunOptions = {}) => {
    const uid = String(options.uid ?? ORDINARY)
    const identity = ['--reuid', uid, '--regid', uid, '--clear-groups', '--']
    const [program, ...rest] =
      isRoot && options.uid !== 0 ? ['setpriv', ...identity, command, ...words] : [command, ...words]
    return spawn(program as string, rest, {
      cwd: options.cwd ?? directory,
      env: { ...inherited(), HOME: directory, SLIPWAY_HOME: home, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }
  const run = async (
    command: string,
    words: readonly string[],
    options: RunOptions = {},
  ): Promise<Finished> => {
    const child = launch(command, words, options)
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin ?? '')
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const code = await new Promise<number>((done, fail) => {
      child.once('error', fail)
      child.once('close', (status, signal) => done(status ?? (signal ? 128 : 1)))
    })
    return { code, stdout, stderr }
  }
  const program = join(checkout, 'slipway')
  const started = new Set<ChildProcess>()
  return {
    directory,
    home,
    run,
    own(path) {
      if (isRoot) execFileSync('chown', ['-R', `${ORDINARY}:${ORDINARY}`, join(directory, path)])
    },
    slipway: (words, options) => run(program, words, options),
    start(words, options) {
      const child = launch(program, words, options)
      started.add(child)
      child.once('exit', () => started.delete(child))
      return child
    },
    [Symbol.dispose]() {
      // A test that failed may have left what it started waiting for it.
      for (const child of started) child.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The machine's own settings that a story needs (certificates, proxies), and nothing of the person's. */
function inherited(): Record<string, string> {
  const wanted =
    /^(?:PATH|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|GOPROXY|GOFLAGS|GOSUMDB|TMPDIR|.*_proxy|.*_PROXY|SLIPWAY_APT_MIRROR)$/
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => wanted.test(entry[0])),
  )
}
