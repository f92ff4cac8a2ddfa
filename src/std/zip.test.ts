import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'
import { openZipBytes, type ZipLimits } from './zip.ts'

interface Planned {
  readonly name: string
  readonly content?: string | Buffer
  readonly deflate?: boolean
  readonly unix?: number
  readonly localName?: string
  readonly claimedSize?: number
  readonly claimedCrc?: number
  readonly flags?: number
  readonly method?: number
  readonly offset?: number
}

function zip(planned: Planned[], prefix = ''): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let position = 0
  for (const entry of planned) {
    const content = Buffer.from(entry.content ?? '')
    const packed = entry.deflate ? deflateRawSync(content) : content
    const name = Buffer.from(entry.name)
    const localName = Buffer.from(entry.localName ?? entry.name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(localName.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt8(entry.unix === undefined ? 0 : 3, 5)
    central.writeUInt16LE(entry.flags ?? 0, 8)
    central.writeUInt16LE(entry.method ?? (entry.deflate ? 8 : 0), 10)
    central.writeUInt32LE(entry.claimedCrc ?? crc32(content), 16)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(entry.claimedSize ?? content.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(((entry.unix ?? 0) << 16) >>> 0, 38)
    central.writeUInt32LE(entry.offset ?? position, 42)
    bodies.push(local, localName, packed)
    directory.push(central, name)
    position += 30 + localName.length + packed.length
  }
  const table = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(planned.length, 8)
  end.writeUInt16LE(planned.length, 10)
  end.writeUInt32LE(table.length, 12)
  end.writeUInt32LE(position, 16)
  return Buffer.concat([Buffer.from(prefix), ...bodies, table, end])
}

const opened = (bytes: Buffer, limits?: ZipLimits) => openZipBytes(bytes, 'app.jar', limits)

describe('zip', () => {
  it('reads stored and deflated entries, whole or as a stream', async () => {
    const long = 'slipway '.repeat(100_000)
    const archive = await opened(
      zip([{ name: 'META-INF/' }, { name: 'a', content: 'A' }, { name: 'b', content: long, deflate: true }]),
    )
    assert.deepEqual(
      archive.entries.map(entry => [entry.name, entry.type, entry.size]),
      [
        ['META-INF/', 'directory', 0],
        ['a', 'file', 1],
        ['b', 'file', long.length],
      ],
    )
    assert.equal((await archive.read(archive.find('a')!)).toString(), 'A')
    assert.equal((await archive.read(archive.find('b')!)).toString(), long)
    assert.equal(Buffer.concat(await (await archive.stream(archive.find('b')!)).toArray()).toString(), long)
  })

  it('reads an archive behind a start script', async () => {
    const archive = await opened(zip([{ name: 'a', content: 'A' }], '#!/bin/sh\nexec java -jar "$0"\n'))
    assert.equal((await archive.read(archive.find('a')!)).toString(), 'A')
  })

  it('tells links, modes and names as they are', async () => {
    const archive = await opened(
      zip([
        { name: 'link', content: '../x', unix: 0o120777 },
        { name: 'run', content: '#', unix: 0o100755 },
        { name: '../up', content: '' },
        { name: 'plain', content: '' },
      ]),
    )
    assert.deepEqual(
      archive.entries.map(({ name, type, mode }) => [name, type, mode]),
      [
        ['link', 'symlink', 0o777],
        ['run', 'file', 0o755],
        ['../up', 'file', undefined],
        ['plain', 'file', undefined],
      ],
    )
  })

  const lies: [string, Planned[], RegExp][] = [
    ['two entries of one name', [{ name: 'a' }, { name: 'a' }], /twice/],
    [
      'entries that share bytes',
      [
        { name: 'a', content: 'AAAA' },
        { name: 'b', content: 'AAAA', offset: 0 },
      ],
      /overlaps/,
    ],
    ['encryption', [{ name: 'a', flags: 1 }], /encrypted/],
    ['an unknown packing method', [{ name: 'a', method: 99 }], /method 99/],
    ['a device', [{ name: 'a', unix: 0o020666 }], /neither file/],
    ['a stored entry with two sizes', [{ name: 'a', content: 'A', claimedSize: 9 }], /two sizes/],
  ]
  for (const [what, planned, why] of lies) {
    it(`refuses ${what}`, () => assert.rejects(opened(zip(planned)), { code: 'ZIP_MALFORMED', message: why }))
  }

  const contents: [string, Planned, RegExp][] = [
    ['another name in its local header', { name: 'a', localName: 'b' }, /calls itself/],
    ['a wrong checksum', { name: 'a', content: 'A', claimedCrc: 1 }, /checksum/],
    [
      'more content than it claims',
      { name: 'a', content: 'A'.repeat(99_999), deflate: true, claimedSize: 10 },
      /size/,
    ],
    ['less content than it claims', { name: 'a', content: 'A', deflate: true, claimedSize: 10 }, /size/],
  ]
  for (const [what, planned, why] of contents) {
    it(`refuses an entry with ${what}, whole and as a stream`, async () => {
      const archive = await opened(zip([planned]))
      const entry = archive.entries[0]!
      await assert.rejects(archive.read(entry), { code: 'ZIP_MALFORMED', message: why })
      await assert.rejects(async () => await (await archive.stream(entry)).toArray(), {
        code: 'ZIP_MALFORMED',
        message: why,
      })
    })
  }

  it('refuses bombs by what they claim, before unpacking', async () => {
    const bomb = zip([{ name: 'a', content: 'A'.repeat(1000), deflate: true }, { name: 'b' }])
    await assert.rejects(opened(bomb, { entries: 9, bytes: 999 }), { message: /unpacks to more than 999/ })
    await assert.rejects(opened(bomb, { entries: 1, bytes: 9999 }), { message: /more than 1 entries/ })
    const archive = await opened(bomb)
    await assert.rejects(archive.read(archive.find('a')!, 999), { message: /larger than 999/ })
  })

  it('refuses every cut of a good archive, and survives every flipped byte', async () => {
    const good = zip([
      { name: 'a', content: 'A', deflate: true },
      { name: 'bb', content: 'BB' },
    ])
    for (let length = 0; length < good.length; length++) {
      await assert.rejects(opened(good.subarray(0, length)), { code: 'ZIP_MALFORMED' })
    }
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad[at]! ^= 0xff
      try {
        const archive = await opened(bad)
        for (const entry of archive.entries) await archive.read(entry)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ZIP_MALFORMED', `byte ${at}: ${error}`)
      }
    }
  })
})
