import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Story } from './cli.ts'
import { freePort } from './free-port.ts'

/** An app that answers over HTTP until it is disposed. */
export interface Served extends AsyncDisposable {
  /** Where a path of it is. */
  address(path: string): string
  /** The text of an answer, which has to be a good one. */
  get(path: string): Promise<string>
  /** Everything that the app has said so far. */
  log(): string
}

/** Runs an image on a free port, which it is told as `PORT`; resolves once it listens. */
export async function serve(place: Story, name: string, ...words: string[]): Promise<Served> {
  const port = await freePort()
  const child = place.start(['run', name, '-p', `${port}:${port}`, '-e', `PORT=${port}`, ...words])
  const log = collected(child)
  const ended = new Promise(done => child.once('close', done))
  const address = (path: string) => `http://127.0.0.1:${port}${path}`
  const get = async (path: string) => {
    const answer = await fetch(address(path))
    assert.equal(answer.status, 200, log())
    return await answer.text()
  }
  for (;;) {
    assert.equal(child.exitCode, null, log())
    if (await fetch(`http://127.0.0.1:${port}/`).then(Boolean, () => false)) break
    await pause(100)
  }
  return {
    address,
    get,
    log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Collects what a program says from now on. */
export function collected({ stdout, stderr }: ReturnType<Story['start']>): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', chunk => (text += chunk))
  return () => text
}
