import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, hexOf, Problem, readIfExists, writeDurably } from '#std'
import { type LaunchFacts, parseFacts } from './launch-facts.ts'

/**
 * Remembers the facts of layers by diffID, so that a layer that is reused without its contents being on disk need not be unpacked to learn
 * how its processes start. What cannot be read counts as missing.
 */
export class LaunchFactsIndex {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The facts of a layer, found out by `read` if they are not known yet. */
  async facts(diffId: Digest, read: () => Promise<LaunchFacts>): Promise<LaunchFacts> {
    const path = join(this.#directory, `${hexOf(diffId)}.json`)
    const known = await this.#lookup(path)
    if (known) return known
    const facts = await read()
    await mkdir(this.#directory, { recursive: true })
    await writeDurably(path, `${JSON.stringify(facts)}\n`, 0o600)
    return facts
  }

  async #lookup(path: string): Promise<LaunchFacts | undefined> {
    const text = await readIfExists(path)
    if (text === undefined) return undefined
    try {
      return parseFacts(text, path)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      await rm(path, { force: true })
      return undefined
    }
  }
}
