import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  type MachineSources,
  openRuntimes,
  type Runtime,
  type RuntimeLock,
  runtimeLockSchema,
} from '#runtimes'
import { check, parseJson, type Report } from '#std'
import { shipped } from '../shipped.ts'

/** What the Node.js for buildpacks is found with. */
export interface BuildNodeOptions {
  readonly home: string
  readonly sources: MachineSources
  readonly arch: 'amd64' | 'arm64'
  readonly report: Report
}

const FILE = 'build-node.lock.json'
const schema = v.record(v.string(), runtimeLockSchema)

/**
 * The Node.js that runs our own buildpacks inside the sandbox: the one that is pinned beside the recipes of bases, fetched and verified once
 * per machine. It is part of no image; the machine's own Node.js may be linked with libraries that a base has not.
 */
export async function buildNode({ home, sources, arch, report }: BuildNodeOptions): Promise<Runtime> {
  const path = join(shipped('images'), FILE)
  const text = await readFile(path, 'utf8')
  const locks = check(schema, parseJson(text, path), path, text) as Record<string, RuntimeLock>
  const session = openRuntimes({ ...sources, home, report }, locks)
  return session.resolve({ name: 'node', version: '24', arch, base: { distro: 'debian', version: '12' } })
}
