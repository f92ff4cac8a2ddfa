import { createHash } from 'node:crypto'

interface Element {
  readonly tag: number
  /** The bytes after tag and length. */
  readonly content: Buffer
  /** The whole element. */
  readonly whole: Buffer
  readonly end: number
}

const SET = 0x31
const SEQUENCE = 0x30
const UTF8 = 0x0c
/** PrintableString, T61String, IA5String, VisibleString: a byte a character. */
const BYTES = new Set([0x13, 0x14, 0x16, 0x1a])
const BMP = 0x1e
const UNIVERSAL = 0x1c

/**
 * The name that OpenSSL looks an authority up by in a directory (`X509_subject_name_hash`, `openssl x509 -subject_hash`): the
 * first four bytes, read from the last, of a SHA-1 over the subject with its texts in one form. `der` is an X.509 certificate (RFC 5280).
 */
export function subjectHash(der: Buffer): string {
  const canonical = childrenOf(subjectOf(der).content).map(rdn => {
    const attributes = childrenOf(rdn.content).map(({ content }) => {
      const [type, value] = childrenOf(content)
      if (!type || !value) throw new Error('a subject with an attribute that has no value')
      return encode(SEQUENCE, Buffer.concat([type.whole, canonicalText(value)]))
    })
    return encode(SET, Buffer.concat(attributes.sort(Buffer.compare)))
  })
  const hash = createHash('sha1').update(Buffer.concat(canonical)).digest()
  return hash.readUInt32LE(0).toString(16).padStart(8, '0')
}

/** The fields before the subject: version (optional), serial number, signature algorithm, issuer, validity. */
function subjectOf(der: Buffer): Element {
  const [body] = childrenOf(elementAt(der, 0).content)
  const fields = childrenOf(body?.content ?? Buffer.alloc(0))
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4]
  if (!subject) throw new Error('not a certificate')
  return subject
}

function canonicalText({ tag, content, whole }: Element): Buffer {
  const text = textOf(tag, content)
  if (text === undefined) return whole
  const plain = text
    .replace(/^[ \f\n\t\v\r]+|[ \f\n\t\v\r]+$/g, '')
    .replace(/[ \f\n\t\v\r]+/g, ' ')
    .replace(/[A-Z]/g, letter => letter.toLowerCase())
  return encode(UTF8, Buffer.from(plain))
}

function textOf(tag: number, content: Buffer): string | undefined {
  if (tag === UTF8) return content.toString('utf8')
  if (BYTES.has(tag)) return content.toString('latin1')
  if (tag === BMP && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  if (tag === UNIVERSAL && content.length % 4 === 0) {
    const points = Array.from({ length: content.length / 4 }, (_, index) => content.readUInt32BE(index * 4))
    return points.every(point => point <= 0x10ffff) ? String.fromCodePoint(...points) : undefined
  }
  return undefined
}

function childrenOf(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at)
    found.push(element)
    at = element.end
  }
  return found
}

function elementAt(bytes: Buffer, at: number): Element {
  const first = bytes[at + 1] ?? 0
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 4) throw new Error('an element of a certificate is too long')
  const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
  const start = at + 2 + count
  const end = start + length
  if (end > bytes.length) throw new Error('a certificate ends too early')
  return { tag: bytes[at] ?? 0, content: bytes.subarray(start, end), whole: bytes.subarray(at, end), end }
}

function encode(tag: number, content: Buffer): Buffer {
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
