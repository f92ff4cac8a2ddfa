import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { openLayout } from '../../src/oci/mod.ts'
import { imageOf, noise } from '../../src/oci/oci.testing.ts'

/**
 * One process that uses a store. Arguments: what it does, the store, then
 *   write PREFIX COUNT    writes images PREFIX:0 … under a lease each, saying `wrote` for each
 *   gc COUNT              collects garbage that often, saying what went
 *   lease                 takes a lease, says `held`, and keeps it until stdin ends
 *   die K                 writes an image and names it anew, killing itself (SIGKILL) before its K-th change to the disk
 *   fill                  writes a small image, one that is too large for the disk, and another small one
 */
const [what, root, ...rest] = process.argv.slice(2) as [string, string, ...string[]]
const store = openLayout(root)
const say = (text: string) => process.stdout.write(`${text}\n`)

async function write(name: string, text: string): Promise<void> {
  await using _ = await store.lease()
  await store.write(await imageOf(store, { shared: noise(200_000) }, { own: text }), [name])
}

/** Counts changes to the disk from now on, and dies before the fatal one. */
async function countDown(fatal: number): Promise<void> {
  let left = fatal
  const counted = <Values extends unknown[], Result>(whole: (...values: Values) => Result) =>
    function (this: unknown, ...values: Values): Result {
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
      return whole.apply(this, values)
    }
  for (const name of ['rename', 'rm', 'mkdir', 'open', 'writeFile', 'link'] as const) {
    Object.assign(fs, { [name]: counted(fs[name] as (...values: unknown[]) => Promise<unknown>) })
  }
  const handle = await fs.open('/dev/null', 'r')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  for (const name of ['write', 'writeFile', 'sync'] as const) {
    Object.assign(prototype, {
      [name]: counted(prototype[name] as (...values: unknown[]) => Promise<unknown>),
    })
  }
  syncBuiltinESMExports()
}

const jobs: Record<string, () => Promise<void>> = {
  async write() {
    const [prefix, count] = rest as [string, string]
    for (let index = 0; index < Number(count); index++) {
      await write(`${prefix}:${index}`, `${prefix} ${index}`)
      say(`wrote ${prefix}:${index}`)
    }
  },
  async gc() {
    for (let round = 0; round < Number(rest[0]); round++) say(JSON.stringify(await store.gc()))
  },
  async lease() {
    await using _ = await store.lease()
    say('held')
    for await (const _ of process.stdin);
  },
  async die() {
    await countDown(Number(rest[0]))
    await write('fresh', 'fresh')
    await store.tag('fresh', 'kept')
    await store.remove(['old'])
    await store.gc()
  },
  async fill() {
    await write('small', 'small')
    const failure = await imageOf(store, { large: noise(12_000_000) }).then(
      () => undefined,
      error => error.code,
    )
    const staged = await fs.readdir(`${root}/.slipway/staging`)
    await write('again', 'again')
    const images = await Promise.all(
      (await store.list()).map(async ({ name }) => (await store.image(name))?.digest),
    )
    say(JSON.stringify({ failure, staged, images: images.length }))
  },
}

await jobs[what]?.()
