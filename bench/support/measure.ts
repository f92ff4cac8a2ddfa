import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

/** One run of a command. */
export interface Run {
  /** Seconds from its start to its end. */
  readonly wall: number
  readonly output: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Runs a command. Throws, with its words, if it fails. */
export async function run(words: readonly string[], { cwd, env = {} }: RunOptions = {}): Promise<Run> {
  const began = process.hrtime.bigint()
  const [program = '', ...rest] = words
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const wall = Number(process.hrtime.bigint() - began) / 1e9
  if (status !== 0)
    throw new Error(`${words.join(' ')} ended with ${status}:\n${stdout.slice(-3000)}${stderr.slice(-3000)}`)
  return { wall, output: stdout + stderr }
}

/** The middle one of some numbers. */
export function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN
}

/** How one of those who are compared did. */
export interface Row {
  readonly who: string
  readonly runs: readonly Run[]
}

/** Prints rows of one question as lines of a Markdown table; ratios are to the first row, which is slipway's. */
export function table(question: string, rows: readonly (Row | string)[]): void {
  const [first] = rows
  const own = typeof first === 'object' ? median(first.runs.map(({ wall }) => wall)) : Number.NaN
  for (const row of rows) {
    if (typeof row === 'string') {
      console.log(`| ${question} | ${row} | | | |`)
      continue
    }
    const walls = row.runs.map(({ wall }) => wall)
    const middle = median(walls)
    const cells = [
      ...[question, row.who, `${middle.toFixed(2)} s`, `${Math.min(...walls).toFixed(2)} s`],
      row === first ? '1' : `${(middle / own).toFixed(1)}×`,
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

export const HEAD = `| what | who | median | least | time of slipway's |
|---|---|---|---|---|`

/** Passes a registry's connections on and counts what clients send. */
export async function countingDoor(
  host: string,
): Promise<{ host: string; sent(): number } & AsyncDisposable> {
  const [name = '', port = ''] = host.split(':')
  let sent = 0
  const server = createServer(client => {
    const upstream = connect(Number(port), name)
    client.on('data', bytes => {
      sent += bytes.byteLength
    })
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream])
      socket.on('error', () => {
        client.destroy()
        upstream.destroy()
      })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address() as { port: number }
  return {
    host: `127.0.0.1:${address.port}`,
    sent() {
      const all = sent
      sent = 0
      return all
    },
    [Symbol.asyncDispose]: () =>
      new Promise(done => {
        server.close(() => done())
        server.unref()
      }),
  }
}
