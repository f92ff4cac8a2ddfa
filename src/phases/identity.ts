import { chown, lchown, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Owner } from '#lifecycle'
import { isSystemError, type Report } from '#std'
import { ownerUnchangeable, userUnavailable } from './problems.ts'

const GROUP_WRITE = 0o020
const WORLD_WRITE = 0o002

/**
 * Gives directories, and all that is in them, to the user of the build, unless that user can write them already (as the reference lifecycle does for
 * volumes that an engine made as root). Directories that are not there are passed over. Throws a `Problem` (`PHASE_OWNER_UNCHANGEABLE`).
 */
export async function ensureOwner(owner: Owner, paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined) continue
    try {
      const found = await stat(path)
      const writable =
        found.uid === owner.uid ||
        (found.gid === owner.gid && (found.mode & GROUP_WRITE) !== 0) ||
        (found.mode & WORLD_WRITE) !== 0
      if (!writable) await give(path, owner)
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) continue
      throw ownerUnchangeable(path, error)
    }
  }
}

async function give(path: string, { uid, gid }: Owner): Promise<void> {
  await chown(path, uid, gid)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) await give(inner, { uid, gid })
    else await lchown(inner, uid, gid)
  }
}

/**
 * Becomes the user of the build for good, with no group but its own. A process that is not root stays who it is, and says so where that is another one:
 * clusters that give every project a user of its own then still build. Throws a `Problem` (`PHASE_USER_UNAVAILABLE`).
 */
export function becomeUser({ uid, gid }: Owner, report: Report): void {
  const [ownUid, ownGid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (ownUid === uid && ownGid === gid) return
  if (ownUid !== 0) {
    report.warn(
      `Running as user ${ownUid}:${ownGid}, which CNB_USER_ID and CNB_GROUP_ID say is ${uid}:${gid}`,
    )
    return
  }
  try {
    process.setgroups?.([gid])
    process.setgid?.(gid)
    process.setuid?.(uid)
  } catch (error) {
    throw userUnavailable(uid, gid, error)
  }
}

/** `HOME` and `USER` as passwd(5) has them for a user; nothing where it has none. */
export async function userVariables(uid: number, file = '/etc/passwd'): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [name = '', , id, , , home = ''] = line.split(':')
    if (id === String(uid)) return { ...(home && { HOME: home }), USER: name }
  }
  return {}
}
