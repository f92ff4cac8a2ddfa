import { suiteDiffers, suiteExpired, suiteNotYet, suiteUnsigned } from './debian-problems.ts'
import { createVerificationKeys, verifyClearText } from './openpgp.ts'

/** What a signed InRelease file says. */
export interface Release {
  readonly suite: string
  readonly codename: string
  /** Seconds since 1970. */
  readonly date: number
  readonly byHash: boolean
  /** Fingerprints of the keys whose signatures were good. */
  readonly signers: readonly string[]
  /** Index files by their path below the suite, `main/binary-amd64/Packages.xz`. */
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly size: number }>
}

/**
 * Reads an InRelease file: checks the OpenPGP signature first, and then reads only the text that was signed. Throws a
 * `Problem` where no key of Debian signed it (`DEBIAN_SIGNATURE`), where it is of another suite (`DEBIAN_INDEX`), or at `now`
 * (milliseconds) is out of date (`DEBIAN_EXPIRED`; not with `allowOld`) or still to come (`DEBIAN_NOT_YET`).
 */
export async function readInRelease(
  text: string,
  suite: string,
  keys: readonly string[],
  now: number,
  { allowOld = false }: { readonly allowOld?: boolean } = {},
): Promise<Release> {
  const { signed, signers } = await verifyClearText(text, await createVerificationKeys(keys)).catch(cause => {
    throw suiteUnsigned(suite, cause instanceof Error ? cause.message : String(cause), cause)
  })
  if (signers.length === 0) throw suiteUnsigned(suite, "none of Debian's archive keys signed it")
  const release = parseRelease(signed, suite)
  const until = fieldOf(signed, 'Valid-Until')
  // What cannot be read as a date has passed.
  if (!allowOld && until !== undefined && !(Date.parse(until) >= now)) throw suiteExpired(suite, until)
  if (release.date * 1000 > now + TOLERANCE)
    throw suiteNotYet(suite, new Date(release.date * 1000).toISOString())
  return { ...release, signers }
}

/** How far the clocks of this machine and of Debian may differ, in milliseconds. */
const TOLERANCE = 24 * 60 * 60 * 1000

function parseRelease(text: string, suite: string): Omit<Release, 'signers'> {
  const names = { suite: fieldOf(text, 'Suite') ?? '', codename: fieldOf(text, 'Codename') ?? '' }
  if (fieldOf(text, 'Origin') !== 'Debian') throw suiteDiffers(suite, 'it is not an index of Debian')
  if (names.codename !== suite && names.suite !== suite) {
    throw suiteDiffers(suite, `it is the one of ${JSON.stringify(names.codename.slice(0, 100))}`)
  }
  const date = Date.parse(fieldOf(text, 'Date') ?? '')
  if (Number.isNaN(date)) throw suiteDiffers(suite, 'it has no date')
  const files = new Map<string, { sha256: string; size: number }>()
  const table = /^SHA256:[ \t]*\n((?:[ \t]+.*\n?)*)/m.exec(text)?.[1] ?? ''
  for (const [, sha256 = '', size = '', path = ''] of table.matchAll(
    /^[ \t]+([0-9a-f]{64})[ \t]+(\d{1,15})[ \t]+([\w./+-]+)$/gm,
  )) {
    files.set(path, { sha256, size: Number(size) })
  }
  return { ...names, date: date / 1000, byHash: fieldOf(text, 'Acquire-By-Hash') === 'yes', files }
}

function fieldOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim()
}
