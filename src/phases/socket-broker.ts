import { fork } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import type { ConnectSocket } from '#oci'

/** What parent and child say to each other. */
interface Dialled {
  readonly dialled: number
  readonly failure?: string
}

/**
 * Runs this program once more as a child that may ask for connections to a socket which only root may open. The child gives up root; this process does nothing but open connections and
 * hand them over, so neither the phases nor a buildpack ever can open one themselves. Gives the child's exit code.
 */
export async function runBehindBroker(socketPath: string, signal: AbortSignal): Promise<number> {
  const [, program = '', ...words] = process.argv
  const child = fork(program, words, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  child.on('message', (message: { dial?: unknown }) => {
    const { dial } = message
    if (typeof dial !== 'number') return
    const socket = connect({ path: socketPath })
    const fail = (error: Error) => child.connected && child.send({ dialled: dial, failure: error.message })
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.on('error', () => {})
      if (child.connected) child.send({ dialled: dial }, socket)
    })
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, killed) => {
      signal.removeEventListener('abort', stop)
      resolve(code ?? (killed === 'SIGTERM' ? 143 : 1))
    })
  })
}

/** The child's end: asks the parent for a connection. Undefined where there is no such parent. */
export function brokeredConnections(): ConnectSocket | undefined {
  if (!process.send) return undefined
  const waiting = new Map<number, { resolve: (socket: Socket) => void; reject: (error: Error) => void }>()
  let count = 0
  process.on('message', ({ dialled, failure }: Dialled, socket: unknown) => {
    const asked = waiting.get(dialled)
    waiting.delete(dialled)
    if (failure !== undefined || !socket) asked?.reject(new Error(failure ?? 'no connection was handed over'))
    else asked?.resolve(socket as Socket)
    if (waiting.size === 0) process.channel?.unref()
  })
  process.channel?.unref()
  return () =>
    new Promise((resolve, reject) => {
      const dial = count++
      waiting.set(dial, { resolve, reject })
      process.channel?.ref()
      process.send?.({ dial })
    })
}
