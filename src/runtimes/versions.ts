import { unknownVersion, versionMalformed } from './problems.ts'
import { readRange } from './ranges.ts'

/**
 * The newest of the versions that a request allows. A request is a whole version, the start of one (`21`, `3.9`,
 * `21.*`), or empty for the newest of `fallback`. Only plain releases are taken, unless the request is a whole version.
 * Throws a `Problem` that lists what there is.
 */
export function chooseVersion(
  runtime: string,
  wanted: string,
  versions: readonly string[],
  fallback = '',
): string {
  const prefix = versionPrefix(runtime, wanted) || fallback
  if (prefix !== '' && versions.includes(prefix)) return prefix
  const allowed = versions.filter(version => isRelease(version) && startsWith(version, prefix))
  const best = allowed.toSorted(compareVersions).at(-1)
  if (best !== undefined) return best
  throw unknownVersion(runtime, prefix, offered(versions, prefix))
}

/** The runtimes that may be asked for by a range, as npm writes them. */
const RANGED = new Set(['node', 'npm'])

/** The text that stands for a request in a lock: equal for requests that mean the same by `versionPrefix`; ranges as they are, blanks aside. */
export function wantedText(runtime: string, wanted: string): string {
  const range = wanted.trim().replace(/\s+/g, ' ')
  return isRange(runtime, wanted) ? range : versionPrefix(runtime, wanted)
}

function isRange(runtime: string, wanted: string): boolean {
  return (
    RANGED.has(runtime) &&
    !PREFIX.test(bareText(wanted)) &&
    bareText(wanted) !== '' &&
    readRange(wanted) !== undefined
  )
}

/**
 * The version that a request for a line, a version or a range means. Of the releases in a range, those of the first of the `preferred` lines that
 * has any come before all others; then those of even lines (with Node.js, the ones that are maintained for years), newest first. Throws as `chooseVersion`.
 */
export function chooseInRange(
  runtime: string,
  wanted: string,
  versions: readonly string[],
  preferred: readonly string[],
): string {
  const contains = isRange(runtime, wanted) ? readRange(wanted) : undefined
  if (!contains) return chooseVersion(runtime, wanted === '*' ? '' : wanted, versions, preferred[0])
  const allowed = versions.filter(contains).toSorted(compareVersions).reverse()
  const lineOf = (version: string) => version.split('.')[0] ?? ''
  for (const line of preferred) {
    const best = allowed.find(version => lineOf(version) === line)
    if (best !== undefined) return best
  }
  const best = allowed.find(version => Number(lineOf(version)) % 2 === 0) ?? allowed[0]
  if (best !== undefined) return best
  throw unknownVersion(runtime, wanted, offered(versions, ''))
}

/** The start of a version that a request means: `21.*`, `21.x`, `v21` and `21` are all `21`; `*` is empty. */
export function versionPrefix(runtime: string, wanted: string): string {
  const text = bareText(wanted)
  if (text === '') return ''
  const prefix = PREFIX.exec(text)?.[1]
  if (prefix === undefined || prefix.length > 100) throw versionMalformed(runtime, wanted)
  return prefix
}

const PREFIX = /^(\d+(?:\.\d+)*(?:[-+][\w.+~-]+)?)(?:\.[*x])*$/

function bareText(wanted: string): string {
  const text = wanted.trim().replace(/^[v=]/, '')
  return text === '*' ? '' : text
}

/** True if a version is the prefix or goes on from it at a boundary: `21.0.3+9` starts with `21`, `21.0` and `21.0.3`. */
export function startsWith(version: string, prefix: string): boolean {
  return (
    prefix === '' ||
    version === prefix ||
    (version.startsWith(prefix) && /^[.+-]/.test(version.slice(prefix.length)))
  )
}

/** Orders by the numbers before a `+` or `-`, then by those after it, then by the text. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(/[+-]/), b.split(/[+-]/)]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = compareNumbers(left[index] ?? '', right[index] ?? '')
    if (difference !== 0) return difference
  }
  return a < b ? -1 : a > b ? 1 : 0
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map(text => text.split(/[^0-9]+/).map(Number)) as [number[], number[]]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1)
    if (difference !== 0) return difference
  }
  return 0
}

function isRelease(version: string): boolean {
  return /^\d+(\.\d+)*(\+[\d.-]+)?$/.test(version)
}

/** A few words on what there is: the versions of the same line, else the lines. */
function offered(versions: readonly string[], prefix: string): string {
  const releases = versions.filter(isRelease).toSorted(compareVersions)
  const line = prefix.split('.')[0] ?? ''
  const near = releases.filter(version => startsWith(version, line))
  const shown =
    near.length > 0 && line !== ''
      ? near.slice(-12)
      : [...new Set(releases.map(version => version.split('.')[0] ?? ''))]
  return shown.length === 0 ? 'none' : shown.join(', ')
}
