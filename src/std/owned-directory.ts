import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTree, type TemporaryDirectory, temporaryDirectory } from './files.ts'
import { isSystemError } from './problem.ts'
import { isAlive, thisProcess } from './process-lock.ts'

/** How a directory is called that names the process that it belongs to: `PREFIX` `PID` `-` `START` `-` and random letters. */
const NAME = /^(\d+)-(\d+|-)-[^/]{6}$/

/**
 * A temporary directory that names its owner. What processes of this machine left behind below the same parent under the same prefix when they
 * were killed is removed on the way; `before` is told of each such directory first.
 */
export async function ownedDirectory(
  parent: string,
  prefix: string,
  before: (left: string) => Promise<void> = async () => {},
): Promise<TemporaryDirectory> {
  await sweep(parent, prefix, before)
  const [pid, start] = (await thisProcess()).split(' ')
  return temporaryDirectory(parent, `${prefix}${pid}-${start}-`)
}

async function sweep(parent: string, prefix: string, before: (left: string) => Promise<void>): Promise<void> {
  const names = await readdir(parent).catch(error => {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  })
  for (const name of names) {
    const [, pid, start] = (name.startsWith(prefix) && NAME.exec(name.slice(prefix.length))) || []
    if (pid === undefined || (await isAlive(`${pid} ${start}`))) continue
    await before(join(parent, name))
    await removeTree(join(parent, name)).catch(() => {
      // It belongs to another user, or someone else is removing it.
    })
  }
}
