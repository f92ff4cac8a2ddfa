import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  check,
  type Digest,
  hexOf,
  isDigest,
  isSystemError,
  parseJson,
  printJson,
  readIfExists,
  writeDurably,
} from '#std'
import { treePlace } from './materialise.ts'
import type { Runtime } from './runtime.ts'

/** A runtime as it is remembered: everything but its place, which follows from its digest. */
export type Recorded = Omit<Runtime, 'path'>

const digest = v.custom<Digest>(value => typeof value === 'string' && isDigest(value), 'not a sha256 digest')
const strings = v.array(v.string())
const lock = v.object({
  name: v.string(),
  version: v.string(),
  arch: v.picklist(['amd64', 'arm64']),
  recipe: v.string(),
  tree: digest,
  artifacts: v.array(
    v.object({
      source: v.picklist(['deb', 'npm', 'maven', 'pypi', 'go']),
      locator: v.pipe(v.string(), v.maxLength(500)),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not 64 hex digits')),
      size: v.pipe(v.number(), v.integer(), v.minValue(0)),
      name: v.string(),
      version: v.string(),
      suite: v.exactOptional(v.string()),
    }),
  ),
})

/** The shape of an entry in a lock file. */
export const runtimeLockSchema = lock

const recorded = v.object({
  name: v.string(),
  version: v.string(),
  digest,
  purl: v.string(),
  cpes: strings,
  licenses: strings,
  components: v.array(
    v.object({
      type: v.picklist(['application', 'library', 'operating-system']),
      name: v.string(),
      version: v.string(),
      purl: v.string(),
      cpes: v.exactOptional(strings),
      licenses: v.exactOptional(strings),
    }),
  ),
  needs: v.object({
    glibc: v.exactOptional(v.string()),
    glibcxx: v.exactOptional(v.string()),
    sonames: strings,
  }),
  environment: v.record(v.string(), v.string()),
  hints: v.record(v.string(), v.string()),
  lock,
})

/** What is remembered of a runtime, if its tree is still there. A damaged record counts as none. */
export async function readRecord(home: string, key: Digest): Promise<Runtime | undefined> {
  const file = recordPlace(home, key)
  const text = await readIfExists(file)
  if (text === undefined) return undefined
  try {
    const found = check(recorded, parseJson(text, file), file)
    const path = treePlace(home, found.digest)
    return (await lstat(path)).isDirectory() ? { ...found, path } : undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'DOCUMENT_INVALID', 'JSON_MALFORMED')) return undefined
    throw error
  }
}

/** Remembers a runtime; to be called once its tree is in place. */
export async function writeRecord(home: string, key: Digest, runtime: Recorded): Promise<void> {
  await writeDurably(recordPlace(home, key), printJson(runtime))
}

function recordPlace(home: string, key: Digest): string {
  return join(home, 'trees', 'records', `${hexOf(key)}.json`)
}
