import * as v from 'valibot'
import { check } from '#std'
import type { DaemonConnection } from './connection.ts'
import { daemonRefused } from './problems.ts'

const versionSchema = v.looseObject({ Components: v.nullish(v.array(v.looseObject({ Name: v.string() }))) })
const infoSchema = v.looseObject({ DriverStatus: v.nullish(v.array(v.array(v.string()))) })

/**
 * True if the daemon takes an archive that lacks layers which it has: Docker with its own store does. Podman reads an archive whole before it looks, and
 * containerd's store keeps blobs rather than layers.
 */
export async function sharesLayers(connection: DaemonConnection): Promise<boolean> {
  const ask = (path: string) =>
    connection.json({ method: 'GET', path, doing: 'ask the container daemon what it is' })
  const version = check(versionSchema, await ask('/version'), 'the version of the container daemon')
  if (!version.Components?.some(({ Name }) => Name === 'Engine')) return false
  const info = check(infoSchema, await ask('/info'), 'what the container daemon says of itself')
  return !info.DriverStatus?.some(([, value]) => value === 'io.containerd.snapshotter.v1')
}

const LONGEST = 1 << 20

/** Reads what a daemon tells while it loads, a JSON document a line. Throws a `Problem` (`DAEMON_REFUSED`) if that is a failure. */
export async function checkLoaded(answer: AsyncIterable<Uint8Array>, doing: string): Promise<void> {
  let text = ''
  for await (const chunk of answer) text = (text + Buffer.from(chunk).toString()).slice(-LONGEST)
  for (const line of text.split('\n')) {
    const failure = failureIn(line)
    if (failure !== undefined) throw daemonRefused(doing, 200, failure)
  }
}

function failureIn(line: string): string | undefined {
  try {
    const { error, errorDetail } = JSON.parse(line) as {
      error?: unknown
      errorDetail?: { message?: unknown }
    }
    const words = errorDetail?.message ?? error
    return words === undefined ? undefined : String(words)
  } catch {
    return undefined
  }
}
