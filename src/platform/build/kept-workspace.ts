import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { bootId, isSystemError, readIfExists, removeTree } from '#std'
import type { SourceMark, SourceMarks } from './source-marks.ts'

/** Larger workspaces are not kept. */
const MOST_BYTES = 1 << 29

const text = v.string()
const recordSchema = v.object({
  format: v.literal(1),
  boot: text,
  source: text,
  files: v.array(v.tuple([text, text, text])),
})

/**
 * The workspace of an image's last build, in `workspace/` of its cache, so that the next one copies only what changed. `workspace.json` says which of its
 * files are still copies of which source files; everything else in it is removed by the next copy. The record is written last and removed first, and counts
 * until the machine starts anew: nothing of it is forced to the disk. Whoever uses it has its lock.
 */
export interface KeptWorkspace {
  /** Moves what is kept to an empty directory, and says what it is; nothing where there is none. */
  take(to: string): Promise<Map<string, SourceMark>>
  /** Keeps a workspace, of which `marks` has all that belongs to the source; it is then gone from its place. `time` is when programs began to run in it. */
  keep(workspace: string, marks: SourceMarks, time: bigint): Promise<void>
  forget(): Promise<void>
}

/** `cache` is the directory of the image's cache, `source` the app's directory. */
export function keptWorkspace(cache: string, source: string): KeptWorkspace {
  const place = join(cache, 'workspace')
  const record = join(cache, 'workspace.json')
  const forget = async () => {
    await rm(record, { force: true })
    await removeTree(place)
  }
  return {
    forget,
    async take(to) {
      const known = await readRecord(record, source)
      if (known) await rm(record)
      if (known && (await moved(place, to))) return known
      await forget()
      return new Map()
    },
    async keep(workspace, marks, time) {
      const boot = await bootId()
      const untouched = marks.untouched(workspace, time)
      const files = [...untouched].map(([path, { source, copy }]) => [path, source, copy])
      const bytes = files.reduce((sum, [, , copy]) => sum + Number(copy?.split(' ')[3]), 0)
      if (boot === undefined || bytes === 0 || bytes > MOST_BYTES) return
      // What a program did to its mode may be in the way of moving it; then the next build copies all.
      if (!(await chmod(workspace, 0o755).then(() => moved(workspace, place)))) return
      await writeFile(record, JSON.stringify({ format: 1, boot, source, files }), { mode: 0o600 })
    },
  }
}

/** Puts a directory in the place of an empty one, or where there is none. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'ENOENT', 'EXDEV', 'ENOTEMPTY')) return false
    throw error
  }
}

async function readRecord(path: string, source: string): Promise<Map<string, SourceMark> | undefined> {
  const text = await readIfExists(path)
  if (text === undefined) return undefined
  const record = v.safeParse(recordSchema, parsed(text))
  if (!record.success || record.output.source !== source || record.output.boot !== (await bootId()))
    return undefined
  return new Map(record.output.files.map(([name, from, copy]) => [name, { source: from, copy }]))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
