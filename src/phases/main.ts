import { writeSync } from 'node:fs'
import { runLifecycle } from './run-phase.ts'
import { brokeredConnections, runBehindBroker } from './socket-broker.ts'

const [, program = 'lifecycle', ...words] = process.argv
const ending = new AbortController()
const codes = { SIGINT: 130, SIGTERM: 143 } as const
let stopped: keyof typeof codes | undefined
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    stopped ??= name
    ending.abort(new Error(`stopped by ${name}`))
  })
}

/** Written at once, so that what buildpacks say and what the lifecycle says come in the order in which they were said. */
function writeAll(stream: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  for (let at = 0; at < bytes.byteLength; ) {
    try {
      at += writeSync(stream, bytes, at)
    } catch (error) {
      // The pipe is full and does not block: its reader is slow.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      else if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
      else throw error
    }
  }
}

const code = await runLifecycle({
  program,
  words,
  environment: process.env,
  workingDirectory: process.cwd(),
  print: text => writeAll(1, text),
  printUsage: text => writeAll(2, text),
  signal: ending.signal,
  connect: brokeredConnections(),
  delegate: socketPath => runBehindBroker(socketPath, ending.signal),
})
process.exit(stopped ? codes[stopped] : code)
