import { userUnknown } from '../problems.ts'
import { readInRoot } from '../roots/root-files.ts'

/** Who runs a process inside. */
export interface ImageUser {
  readonly uid: number
  readonly gid: number
  /** From the password entry; `/` where there is none. */
  readonly home: string
  readonly name: string | undefined
}

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

/** The highest number that every tool on the way takes. A larger one must not wrap around to root. */
const HIGHEST = 2 ** 31 - 1

/**
 * Finds the user that an image's configuration names: `user`, `uid`, `user:group`, `uid:gid` (OCI image-spec config.md), through the image's own
 * /etc/passwd and /etc/group; root if it names none. Throws a `Problem` (`RUN_USER_UNKNOWN`).
 */
export async function findUser(lower: readonly string[], wanted: string): Promise<ImageUser> {
  const parts = wanted.split(':')
  const [user = '', group] = parts
  if (parts.length > 2 || (group !== undefined && group === ''))
    throw userUnknown(wanted, 'it is not USER or USER:GROUP')
  const accounts = parseAccounts((await readInRoot(lower, '/etc/passwd')) ?? '')
  const asked = user === '' ? '0' : user
  const number = numberOf(asked, wanted)
  const account = accounts.find(each => (number === undefined ? each.name === asked : each.uid === number))
  if (!account && number === undefined) throw userUnknown(wanted, 'its /etc/passwd has no such user')
  const uid = number ?? (account as Account).uid
  const gid = group === undefined ? (account?.gid ?? 0) : await findGroup(lower, group, wanted)
  return { uid, gid, home: account?.home || '/', name: account?.name }
}

async function findGroup(lower: readonly string[], group: string, wanted: string): Promise<number> {
  const number = numberOf(group, wanted)
  if (number !== undefined) return number
  for (const line of ((await readInRoot(lower, '/etc/group')) ?? '').split('\n')) {
    const [name, , gid = ''] = line.split(':')
    const found = name === group ? numberOf(gid, wanted) : undefined
    if (found !== undefined) return found
  }
  throw userUnknown(wanted, `its /etc/group has no group ${JSON.stringify(group)}`)
}

function numberOf(text: string, wanted: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const number = Number(text)
  if (!/^\d{1,10}$/.test(text) || number > HIGHEST)
    throw userUnknown(wanted, `${text} is not a number from 0 to ${HIGHEST}`)
  return number
}

/** Reads passwd(5); lines that are not of that form do not count. */
function parseAccounts(text: string): Account[] {
  return text.split('\n').flatMap(line => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':')
    if (name === '' || !/^\d{1,9}$/.test(uid) || !/^\d{1,9}$/.test(gid)) return []
    return [{ name, uid: Number(uid), gid: Number(gid), home: home.startsWith('/') ? home : '/' }]
  })
}
