import { Problem } from '#std'

/** An element of an XML document; namespaces prefixes are cut off, attributes are not kept. */
export interface XmlElement {
  readonly name: string
  /** All text directly inside, trimmed. */
  readonly text: string
  readonly children: readonly XmlElement[]
}

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE|<(\/?)([\w.:-]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>|([^<]+)/gy
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Reads the XML that Maven writes: elements and text. No document types, hence no entities of their own; at most 64
 * levels deep. Throws a `Problem` (`XML_MALFORMED`) that names the source and the line.
 */
export function parseXml(text: string, source: string): XmlElement {
  const root = { name: '', text: '', children: [] as XmlElement[] }
  const open = [root]
  TOKEN.lastIndex = 0
  const content = text.replace(/^\uFEFF/, '')
  for (let at = 0; at < content.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(content)
    const refuse = (why: string) => malformed(source, content.slice(0, at).split('\n').length, why)
    if (!match) throw refuse('this is not XML')
    const [whole, cdata, closing, name, , empty, plain] = match
    const current = open.at(-1) ?? root
    if (whole === '<!DOCTYPE') throw refuse('document types are not read')
    if (cdata !== undefined) current.text += cdata
    else if (plain !== undefined) current.text += decoded(plain)
    else if (name === undefined) continue
    else if (closing) {
      if (open.length === 1 || current.name !== local(name)) throw refuse(`</${name}> closes nothing`)
      current.text = current.text.trim()
      open.pop()
    } else {
      const element = { name: local(name), text: '', children: [] as XmlElement[] }
      current.children.push(element)
      if (open.length > 64) throw refuse('it is nested more than 64 levels deep')
      if (!empty) open.push(element)
    }
  }
  const [document, ...others] = root.children
  if (open.length > 1)
    throw malformed(source, content.split('\n').length, `<${open.at(-1)?.name}> is not closed`)
  if (!document || others.length > 0 || root.text.trim() !== '')
    throw malformed(source, 1, 'there is not one root element')
  return document
}

/** All elements at a path of names below an element. */
export function elements(from: XmlElement, ...path: string[]): XmlElement[] {
  return path.reduce<XmlElement[]>(
    (found, name) => found.flatMap(element => element.children.filter(child => child.name === name)),
    [from],
  )
}

/** The text of the first element at a path. */
export function textAt(from: XmlElement, ...path: string[]): string | undefined {
  return elements(from, ...path)[0]?.text
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function decoded(text: string): string {
  return text.replace(/&(#x?)?([0-9a-zA-Z]+);/g, (whole, numeric: string | undefined, body: string) => {
    if (!numeric) return ENTITIES[body] ?? whole
    const code = Number.parseInt(body, numeric === '#x' ? 16 : 10)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

function malformed(source: string, line: number, why: string): Problem {
  return new Problem('XML_MALFORMED', {
    what: `Cannot read ${source}`,
    why: `line ${line}: ${why}`,
    fix: 'Correct the document, or fetch it again from where it came.',
  })
}
