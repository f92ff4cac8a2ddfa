/** What a server demands (RFC 9110, WWW-Authenticate): a scheme and its parameters, all names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Reads the challenges of a header, of which there may be several in one. What is malformed ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = []
  const part =
    /\s*,*\s*(?:([A-Za-z][A-Za-z0-9-]*)(?=\s|,|$)(?!\s*=)\s*)?(?:([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y
  const text = header.slice(0, 8192)
  while (part.lastIndex < text.length) {
    const before = part.lastIndex
    const match = part.exec(text)
    if (!match || part.lastIndex === before) break
    const [, scheme, name, quoted, token] = match
    if (scheme) found.push({ scheme: scheme.toLowerCase(), parameters: {} })
    if (name) {
      const last = found.at(-1)
      if (!last) break
      last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
    }
  }
  return found
}
