import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { tryLockFile } from '#std'
import { cacheDirectory } from './cache.ts'
import { keptWorkspace } from './kept-workspace.ts'
import { type CopyOptions, copySource } from './source.ts'
import { SourceMarks } from './source-marks.ts'

/** What a workspace is made with. */
export interface WorkspaceOptions extends Omit<CopyOptions, 'marks'> {
  readonly home: string
  /** The image's name: each keeps a workspace of its own. */
  readonly name: string
  /** Copy everything anew. */
  readonly clear: boolean
  /** When this build began, in nanoseconds by the file system's clock. */
  readonly began: bigint
}

/** The app's source, ready to be built. */
export interface Workspace extends AsyncDisposable {
  /** Says that from now on programs run that may write to it. */
  begin(): Promise<void>
  /** Keeps it for the next build; it is then gone from its place. Every program that ran in it must be dead. */
  keep(): Promise<void>
}

/**
 * Copies the app's source into the workspace; of what the last build of the image left there, only what changed. While another build of the same
 * image has that, all is copied. Throws what `copySource` throws.
 */
export async function openWorkspace({
  home,
  name,
  clear,
  began,
  ...source
}: WorkspaceOptions): Promise<Workspace> {
  const directory = cacheDirectory(home, name)
  await mkdir(directory, { recursive: true })
  const held = await tryLockFile(join(directory, 'workspace.lock'))
  try {
    const kept = held && keptWorkspace(directory, source.from)
    if (clear) await kept?.forget()
    // Copying keeps this process busy; first, whoever has to ask others asks them.
    await setImmediate()
    const marks = new SourceMarks(began, await kept?.take(source.to))
    await copySource({ ...source, marks })
    let begun = 0n
    return {
      async begin() {
        const clock = `${source.to}.begun`
        await writeFile(clock, '')
        begun = (await stat(clock, { bigint: true })).ctimeNs
      },
      keep: async () => await kept?.keep(source.to, marks, begun),
      [Symbol.asyncDispose]: async () => await held?.[Symbol.asyncDispose](),
    }
  } catch (error) {
    await held?.[Symbol.asyncDispose]()
    throw error
  }
}
