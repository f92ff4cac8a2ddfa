/**
 * Compares Debian versions as dpkg does (deb-version(7)): epoch, upstream version, revision; `~` sorts before the end,
 * letters before other characters, digits as numbers.
 */
export function compareDebianVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)]
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? []
  const dash = rest.lastIndexOf('-')
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  }
}

function compareParts(a: string, b: string): number {
  let [left, right] = [0, 0]
  while (left < a.length || right < b.length) {
    while ((left < a.length && !isDigit(a[left])) || (right < b.length && !isDigit(b[right]))) {
      const difference = order(a[left]) - order(b[right])
      if (difference !== 0) return difference
      left++
      right++
    }
    const [one, two] = [/^\d*/.exec(a.slice(left))?.[0] ?? '', /^\d*/.exec(b.slice(right))?.[0] ?? '']
    const difference = BigInt(one || 0) - BigInt(two || 0)
    if (difference !== 0n) return difference < 0n ? -1 : 1
    left += one.length
    right += two.length
  }
  return 0
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9'
}

function order(character: string | undefined): number {
  if (character === undefined || isDigit(character)) return 0
  if (character === '~') return -1
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256
}
