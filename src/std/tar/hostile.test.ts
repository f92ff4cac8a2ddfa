import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readAll } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { assertRefused } from '../refusal.testing.ts'
import { packTar } from './pack.ts'
import { GENEROUS, readTar, type TarLimits } from './read.ts'

const END = Buffer.alloc(1024)

/** A header as anybody may write one; the checksum is right unless it is given. */
function header(fields: Readonly<Record<string, string | Buffer>> = {}): Buffer {
  const block = Buffer.alloc(512)
  const set: Record<string, string | Buffer> = {
    ...{ name: 'a', mode: '0000644\0', uid: '0000000\0', gid: '0000000\0', size: '00000000000\0' },
    ...{ mtime: '00000000000\0', flag: '0', magic: 'ustar\x0000', ...fields },
  }
  const AT: Record<string, number> = {
    ...{ name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, flag: 156, link: 157, magic: 257 },
    ...{ major: 329, minor: 337, prefix: 345 },
  }
  for (const [field, value] of Object.entries(set)) {
    if (field === 'checksum') continue
    Buffer.from(value as string, 'latin1').copy(block, AT[field])
  }
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  if (set.checksum !== undefined) Buffer.from(set.checksum as string, 'latin1').copy(block, 148)
  return block
}
const octal = (size: number) => `${size.toString(8).padStart(11, '0')}\0`
const padded = (body: Buffer) => Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)])
const file = (name: string, text: string, more: Readonly<Record<string, string | Buffer>> = {}) =>
  Buffer.concat([header({ name, size: octal(text.length), ...more }), padded(Buffer.from(text))])
const record = (key: string, value: string) => {
  const rest = 3 + key.length + value.length
  const length = rest + String(rest + String(rest).length).length
  return `${length} ${key}=${value}\n`
}
const extra = (flag: string, text: string | Buffer) => {
  const body = Buffer.from(text as string)
  return Buffer.concat([header({ name: 'x', flag, size: octal(body.length) }), padded(body)])
}
const pax = (...records: [string, string][]) =>
  extra('x', records.map(([key, value]) => record(key, value)).join(''))
const archive = (...parts: Buffer[]) => Buffer.concat([...parts, END])

async function namesOf(bytes: Uint8Array, limits: TarLimits = GENEROUS) {
  const found: string[] = []
  for await (const entry of readTar(streamOf(bytes), limits)) {
    const content = await readAll(entry.content)
    found.push(`${entry.type} ${entry.name.toString('latin1')} ${content.toString('latin1')}`.trimEnd())
  }
  return found
}

async function* streamOf(bytes: Uint8Array) {
  yield bytes
}

const plain = file('a', 'one')
const base256 = (...bytes: number[]) => {
  const field = Buffer.alloc(12)
  Buffer.from(bytes).copy(field)
  return field
}

/** What is refused; the twins below differ from these in the one thing that is wrong. */
const REFUSED: Record<string, [Buffer, RegExp]> = {
  'a checksum of another header': [archive(header({ checksum: '000000\0 ' })), /checksum/],
  'a checksum that is no number': [archive(header({ checksum: 'zzzzzz\0 ' })), /checksum/],
  'no checksum': [archive(header({ checksum: '\0\0\0\0\0\0\0\0' })), /checksum/],
  noise: [Buffer.alloc(2048, 'noise'), /checksum/],
  'a size in decimal': [archive(header({ size: '00000000009\0' })), /octal/],
  'a size below zero': [archive(header({ size: '-0000000001\0' })), /octal/],
  'a size with a NUL inside': [archive(header({ size: '0001\x00000005\0' })), /octal/],
  'a size of two words': [archive(header({ size: '00001 00002\0' })), /octal/],
  'a size in hexadecimal': [archive(header({ size: '0x000000010\0' })), /octal/],
  'a size below zero in base 256': [
    archive(header({ size: base256(0xff, ...Array(11).fill(0xff)) })),
    /range/,
  ],
  'a size beyond 2^53 in base 256': [archive(header({ size: base256(0x80, 0, 0, 0, 1) })), /range/],
  'a size of 95 bits in base 256': [archive(header({ size: base256(0x80, 1) })), /range/],
  'an owner below zero': [archive(header({ uid: '-000001\0' })), /octal/],
  'a mode that is no number': [archive(header({ mode: 'rwxr-xr\0' })), /octal/],
  'a time that is no number': [archive(header({ mtime: 'yesterday\0\0\0' })), /octal/],
  'a device number that is none': [archive(header({ flag: '3', major: 'x' })), /octal/],
  'a name of nothing': [archive(header({ name: '\0' })), /no name/],
  'a name that begins with NUL': [archive(header({ name: '\0etc/passwd' })), /no name/],
  'a directory with content': [archive(file('d', 'one', { flag: '5' })), /cannot have content/],
  'a link with content': [archive(file('l', 'one', { flag: '2', link: 'x' })), /cannot have content/],
  'a hard link with content': [archive(file('l', 'one', { flag: '1', link: 'x' })), /cannot have content/],
  'a pipe with content': [archive(file('p', 'one', { flag: '6' })), /cannot have content/],
  'a device with content': [archive(file('p', 'one', { flag: '3' })), /cannot have content/],
  'a file whose name ends in a slash, with content': [archive(file('d/', 'one')), /cannot have content/],
  'the same where PAX says the size': [
    archive(pax(['size', '3']), header({ name: 'd/' }), padded(Buffer.from('one'))),
    /cannot have content/,
  ],
  'a size by PAX for a link': [archive(pax(['size', '3']), header({ flag: '2', link: 'x' })), /cannot have/],
  'an unknown kind of entry': [archive(header({ flag: 'Z' })), /not supported/],
  'a sparse file of GNU': [archive(header({ flag: 'S' })), /not supported/],
  'a sparse file by PAX': [
    archive(pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']), plain),
    /sparse/,
  ],
  'a volume label of GNU': [archive(header({ flag: 'V' })), /not supported/],
  'the rest of another volume': [archive(header({ flag: 'M' })), /not supported/],
  'a dump of directory names': [archive(header({ flag: 'D' })), /not supported/],
  'attributes of Solaris': [archive(header({ flag: 'X' })), /not supported/],
  'a kind that is a control character': [archive(header({ flag: '\u001b' })), /not supported/],
  'a PAX length that is too long': [archive(extra('x', '99 path=b\n'), plain), /PAX record/],
  'a PAX length that is too short': [archive(extra('x', '5 path=b\n'), plain), /PAX record/],
  'a PAX length of zero': [archive(extra('x', '0 path=b\n'), plain), /PAX record/],
  'a PAX length below zero': [archive(extra('x', '-9 path=b\n'), plain), /PAX record/],
  'a PAX length beyond all': [archive(extra('x', '99999999999999999999 path=b\n'), plain), /PAX record/],
  'a PAX record without a length': [archive(extra('x', 'path=b\n'), plain), /PAX record/],
  'a PAX record without an end': [archive(extra('x', '10 path=bc'), plain), /PAX record/],
  'a PAX record without a key': [archive(extra('x', record('', 'b')), plain), /PAX record/],
  'a PAX record without an equals sign': [archive(extra('x', '7 path\n'), plain), /PAX record/],
  'a PAX name with a NUL inside': [archive(pax(['path', 'a\0b']), plain), /PAX record/],
  'a PAX target with a NUL inside': [archive(pax(['linkpath', 'a\0b']), plain), /PAX record/],
  'a PAX name of nothing': [archive(pax(['path', '']), plain), /no name/],
  'a PAX size below zero': [archive(pax(['size', '-1']), plain), /whole number/],
  'a PAX size with a fraction': [archive(pax(['size', '1.5']), plain), /whole number/],
  'a PAX size of nothing': [archive(pax(['size', '']), plain), /whole number/],
  'a PAX size beyond 2^53': [archive(pax(['size', '99999999999999999']), plain), /whole number/],
  'a PAX size with words after it': [archive(pax(['size', '3 ']), plain), /whole number/],
  'a PAX owner below zero': [archive(pax(['uid', '-1']), plain), /whole number/],
  'a PAX time that is none': [archive(pax(['mtime', 'now']), plain), /not a time/],
  'a PAX time that is infinite': [archive(pax(['mtime', 'Infinity']), plain), /not a time/],
  'a PAX time in hexadecimal': [archive(pax(['mtime', '0x10']), plain), /not a time/],
  'a PAX size of more than there is': [archive(pax(['size', '99999']), plain), /ends in the middle/],
  'a PAX header of two megabytes': [archive(header({ flag: 'x', size: octal(2 << 20) })), /too large/],
  'a long name of two megabytes': [archive(header({ flag: 'L', size: octal(2 << 20) })), /too large/],
  'a long name of GNU and another of PAX': [archive(extra('L', 'b\0'), pax(['path', 'c']), plain), /GNU and/],
  'a long target of GNU and another of PAX': [
    archive(extra('K', 'b\0'), pax(['linkpath', 'c']), header({ flag: '2', link: 'x' })),
    /GNU and/,
  ],
  'a long name of nothing': [archive(extra('L', '\0b'), plain), /no name/],
  'a PAX header for nothing': [archive(plain, pax(['path', 'b'])), /does not come/],
  'a long name for nothing': [archive(plain, extra('L', 'b\0')), /does not come/],
  'a single empty block, and entries after it': [archive(plain, Buffer.alloc(512), plain), /one empty block/],
  'a block that is cut': [Buffer.concat([plain, header().subarray(0, 511)]), /ends in the middle/],
  'a content that is cut': [plain.subarray(0, 514), /ends in the middle/],
  'a padding that is cut': [plain.subarray(0, 1000), /ends in the middle/],
  'a header alone that promises a content': [header({ size: octal(8 * 2 ** 30 - 1) }), /ends in the middle/],
}

const TWINS: Record<string, [Buffer, string[]]> = {
  'a plain file': [archive(plain), ['file a one']],
  'an archive without an end': [plain, ['file a one']],
  'an archive of nothing': [END, []],
  'no bytes at all': [Buffer.alloc(0), []],
  'one empty block at the end': [Buffer.concat([plain, Buffer.alloc(512)]), ['file a one']],
  'noise after the end': [Buffer.concat([archive(plain), Buffer.alloc(700, 'noise')]), ['file a one']],
  'a second archive after the end, which no reader of layers sees': [
    Buffer.concat([archive(plain), archive(file('b', 'two'))]),
    ['file a one'],
  ],
  'a size in base 256': [
    Buffer.concat([
      header({ size: base256(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3) }),
      padded(Buffer.from('one')),
      END,
    ]),
    ['file a one'],
  ],
  'a PAX name': [archive(pax(['path', 'b']), plain), ['file b one']],
  'a PAX size, which counts and not that of the header': [
    archive(pax(['size', '3']), header({ size: octal(512) }), padded(Buffer.from('one'))),
    ['file a one'],
  ],
  'two PAX sizes, of which the last counts for all readers': [
    archive(pax(['size', '9999'], ['size', '3']), header(), padded(Buffer.from('one'))),
    ['file a one'],
  ],
  'PAX names that objects have anyway': [
    archive(pax(['__proto__', 'x'], ['constructor', 'y'], ['path', 'b']), plain),
    ['file b one'],
  ],
  'a global PAX header, which is for nobody': [
    archive(extra('g', record('path', 'b')), plain),
    ['file a one'],
  ],
  'a PAX time with a fraction, and one before 1970': [
    archive(pax(['mtime', '1.5']), plain, pax(['mtime', '-1.5']), plain),
    ['file a one', 'file a one'],
  ],
  'a PAX header that counts for one entry only': [
    archive(pax(['path', 'b']), plain, plain),
    ['file b one', 'file a one'],
  ],
  'the same name from GNU and PAX': [archive(extra('L', 'b\0'), pax(['path', 'b']), plain), ['file b one']],
  'a name of 100 kB': [
    archive(extra('L', `${'n'.repeat(100_000)}\0`), plain),
    [`file ${'n'.repeat(100_000)} one`],
  ],
  'names that climb, which are the business of who unpacks': [
    archive(file('../../etc/passwd', 'one'), file('/etc/passwd', 'two')),
    ['file ../../etc/passwd one', 'file /etc/passwd two'],
  ],
  'names with a line end and an escape, as bytes': [
    archive(file('a\n\u001b[2J', 'x')),
    ['file a\n\u001b[2J x'],
  ],
  'a hard link to a later entry': [
    archive(header({ flag: '1', link: 'later' }), file('later', 'one')),
    ['link a', 'file later one'],
  ],
  'device nodes': [archive(header({ flag: '4', major: '0000010\0', minor: '0000001\0' })), ['block a']],
  'a name in two parts': [archive(header({ prefix: 'p' })), ['file p/a']],
  'the second part of a name in a header of GNU, where times stand': [
    archive(header({ prefix: '00000000001\0', magic: 'ustar  \0' })),
    ['file a'],
  ],
}

describe('readTar, of archives by anybody', () => {
  for (const [what, [bytes, why]] of Object.entries(REFUSED))
    it(`REFUSE: ${what}`, () => assertRefused(() => namesOf(bytes), 'TAR_MALFORMED', why))
  for (const [what, [bytes, expected]] of Object.entries(TWINS))
    it(`SAME: ${what}`, async () => assert.deepEqual(await namesOf(bytes), expected))

  it('REFUSE: an archive cut anywhere, but where an entry ends', async () => {
    const bytes = archive(pax(['path', 'b']), plain, extra('L', 'c\0'), file('x', 'y'.repeat(600)))
    const whole = new Set([0, 2048, 4608, 5120])
    for (let length = 0; length < bytes.length; length += 256) {
      const cut = bytes.subarray(0, length)
      if (whole.has(length)) await namesOf(cut)
      else await assertRefused(() => namesOf(cut), 'TAR_MALFORMED')
    }
  })

  it('REFUSE: a million entries, where that is more than may be', async () => {
    const many = (async function* () {
      const thousand = Buffer.concat(Array.from({ length: 1000 }, () => header()))
      for (let count = 0; count < 1000; count++) yield thousand
    })()
    await assertRefused(
      async () => {
        for await (const _ of readTar(many, { ...GENEROUS, entries: 2500 }));
      },
      'TAR_MALFORMED',
      /more than 2500 entries/,
    )
  })

  it('REFUSE: headers without end before an entry', async () => {
    const endless = (async function* () {
      for (;;) yield pax(['comment', 'x'])
    })()
    await assertRefused(
      async () => {
        for await (const _ of readTar(endless, { ...GENEROUS, entries: 3000 }));
      },
      'TAR_MALFORMED',
      /entries/,
    )
  })

  it('REFUSE: what unpacks to more than may be, before it is read', async () => {
    const bomb = gunzipSync(gzipSync(archive(file('a', ' '.repeat(1 << 20)), file('b', ' '.repeat(1 << 20)))))
    await assertRefused(
      () => namesOf(bomb, { ...GENEROUS, bytes: 2 ** 21 - 1 }),
      'TAR_MALFORMED',
      /unpacks to more/,
    )
    assert.equal((await namesOf(bomb, { ...GENEROUS, bytes: 2 ** 21 })).length, 2)
  })

  it('throws nothing but a Problem, and ends, whichever bytes of a good archive are altered', async () => {
    const good = archive(
      pax(['path', 'b'], ['size', '3']),
      plain,
      extra('L', 'long\0'),
      header({ flag: '2', link: 'x' }),
      file('d/e', 'two'),
    )
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), mend: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async changes => {
        const bytes = Buffer.from(good)
        for (const { at, byte, mend } of changes) {
          bytes[at] = byte
          if (mend) mendChecksum(bytes, at - (at % 512))
        }
        try {
          for (const name of await namesOf(bytes)) assert.ok(name.length > 0)
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === 'TAR_MALFORMED', String(error))
        }
      }),
      { numRuns: 400 },
    )
  })

  it('reads again what it read, once it is written by us', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z./]{0,150}[a-z]$/), fc.string({ maxLength: 600 })), {
          maxLength: 4,
        }),
        async files => {
          const bytes = archive(
            ...files.map(([name, text]) => Buffer.concat([extra('L', `${name}\0`), fileOf(text)])),
          )
          const again: Buffer[] = []
          for await (const entry of readTar(streamOf(bytes))) {
            const content = await readAll(entry.content)
            again.push(await readAll(packTar([{ ...entry, content }])))
          }
          const joined = Buffer.concat([...again.map(each => each.subarray(0, -1024)), END])
          assert.deepEqual(await namesOf(joined), await namesOf(bytes))
        },
      ),
      { numRuns: 60 },
    )
  })
})

function fileOf(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([header({ size: octal(body.length) }), padded(body)])
}

function mendChecksum(bytes: Buffer, at: number): void {
  const block = bytes.subarray(at, at + 512)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}
