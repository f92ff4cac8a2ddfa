import { join } from 'node:path'
import * as v from 'valibot'
import { type BaseLock, baseLockSchema } from '#os'
import { type RuntimeLock, runtimeLockSchema } from '#runtimes'
import { check, isSystemError, parseJson, printJson, type Report, writeDurably } from '#std'
import { appLockChanged, appLockMissing } from '../problems.ts'
import { parseInput, readInput } from '../read-input.ts'

/** The file beside an app that pins what its image is made of besides the app. */
export const APP_LOCK = 'slipway.lock'

/** What `slipway.lock` pins: the packages of both bases, and every runtime that buildpacks asked for. Never a host. */
export interface AppLock {
  readonly bases: readonly BaseLock[]
  readonly runtimes: Readonly<Record<string, RuntimeLock>>
}

const EMPTY: AppLock = { bases: [], runtimes: {} }

const schema = v.strictObject({
  version: v.literal(1),
  bases: v.array(baseLockSchema),
  runtimes: v.record(v.string(), runtimeLockSchema),
})

/** Reads the lock of an app; nothing is pinned where there is none, which with `locked` is refused (`LOCK_MISSING`). Throws a `Problem` (`INPUT_UNREADABLE`, `JSON_MALFORMED`, `DOCUMENT_INVALID`). */
export async function readAppLock(directory: string, locked = false): Promise<AppLock> {
  const path = join(directory, APP_LOCK)
  const text = await readInput(path)
  if (text === undefined && locked) throw appLockMissing(path)
  if (text === undefined) return EMPTY
  const { bases, runtimes } = parseInput(() => check(schema, parseJson(text, path), path, text))
  return { bases: bases as BaseLock[], runtimes: runtimes as Record<string, RuntimeLock> }
}

/** Prints a lock; equal locks give equal bytes. */
export function printAppLock({ bases, runtimes }: AppLock): string {
  const key = ({ name, release, arch }: BaseLock) => `${name} ${release} ${arch}`
  return printJson({ version: 1, bases: bases.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)), runtimes })
}

/** The lock of a base in the lock of an app. */
export function lockedBase(lock: AppLock, name: string, release: string, arch: string): BaseLock | undefined {
  return lock.bases.find(each => each.name === name && each.release === release && each.arch === arch)
}

/** The lock with other pins for what one build used; pins for other targets stay. */
export function updatedLock(
  before: AppLock,
  bases: readonly BaseLock[],
  runtimes: Readonly<Record<string, RuntimeLock>>,
): AppLock {
  const others = before.bases.filter(
    old =>
      !bases.some(({ name, release, arch }) => lockedBase({ ...before, bases: [old] }, name, release, arch)),
  )
  return { bases: [...others, ...bases], runtimes: { ...before.runtimes, ...runtimes } }
}

/**
 * Writes the lock beside the app if it differs from what is there. With `locked` a difference is refused (`LOCK_MISSING`, `LOCK_CHANGED`).
 * A directory that may not be written gets a warning: the image is as good, and the next build resolves anew.
 */
export async function writeAppLock(
  directory: string,
  lock: AppLock,
  { locked, report }: { readonly locked: boolean; readonly report: Report },
): Promise<void> {
  const path = join(directory, APP_LOCK)
  const before = await readInput(path)
  const text = printAppLock(lock)
  if (text === before) return
  if (locked) throw before === undefined ? appLockMissing(path) : appLockChanged(path)
  try {
    await writeDurably(path, text)
    report.line(before === undefined ? `Recorded what was chosen in ${APP_LOCK}` : `Updated ${APP_LOCK}`)
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error
    report.warn(`${path} cannot be written; the next build will choose its packages anew`)
  }
}
