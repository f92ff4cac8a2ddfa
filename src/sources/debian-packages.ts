/** A package as a signed index lists it. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** Path in the archive, `pool/main/…`. */
  readonly path: string
  readonly sha256: string
  readonly size: number
  readonly suite: string
  /** All fields of the stanza, by name as written. */
  readonly fields: Readonly<Record<string, string>>
}

const GAP = Buffer.from('\n\n')

/** The packages in the text of an index (Debian Policy 5.3, deb822(5)). Stanzas without what identifies a package are passed over. */
export function* stanzasIn(text: Buffer, suite: string): Generator<DebianPackage> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(GAP, start)
    const end = found < 0 ? text.length : found
    const parsed = packageIn(text.toString('utf8', start, end), suite)
    if (parsed) yield parsed
    start = end + 2
  }
}

/** The packages of one name, without reading the stanzas of others; `Package` is the first field of each. */
export function stanzasNamed(text: Buffer, name: string, suite: string): DebianPackage[] {
  const found: DebianPackage[] = []
  const line = Buffer.from(`Package: ${name}\n`)
  for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + line.length)) {
    if (at > 0 && text[at - 1] !== 0x0a) continue
    const end = text.indexOf(GAP, at)
    const parsed = packageIn(text.toString('utf8', at, end < 0 ? text.length : end), suite)
    if (parsed) found.push(parsed)
  }
  return found
}

function packageIn(stanza: string, suite: string): DebianPackage | undefined {
  const fields: Record<string, string> = Object.create(null)
  let last = ''
  for (const line of stanza.split('\n')) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (last) fields[last] += `\n${line}`
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) continue
    last = line.slice(0, colon)
    fields[last] = line.slice(colon + 1).trim()
  }
  const {
    Package: name,
    Version: version,
    Architecture: arch,
    Filename: path,
    SHA256: sha256,
    Size: size,
  } = fields
  if (!name || !version || !arch || !path || !sha256 || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  return { name, version, arch, path, sha256, size: Number(size), suite, fields }
}
