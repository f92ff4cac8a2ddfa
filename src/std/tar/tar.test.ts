import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readAll } from '../bytes.ts'
import { digestOf } from '../digest.ts'
import type { TarEntry } from './entry.ts'
import { packTar } from './pack.ts'
import { GENEROUS, readTar } from './read.ts'

/** The time that buildpack layers carry. */
const mtime = 315532801
const root = { uid: 0, gid: 0, mtime, size: 0 }

async function bytesOf(entries: TarEntry[]): Promise<Buffer> {
  return readAll(packTar(entries))
}

async function entriesOf(bytes: Uint8Array | Uint8Array[], limits = GENEROUS) {
  const source = Array.isArray(bytes) ? bytes : [bytes]
  const found: Record<string, unknown>[] = []
  for await (const { content, ...header } of readTar(
    (async function* () {
      yield* source
    })(),
    limits,
  )) {
    found.push({
      ...header,
      content: await readAll(content as AsyncIterable<Uint8Array>),
    })
  }
  return found
}

describe('packTar', () => {
  it('makes the empty layer of the reference', async () => {
    assert.equal(
      digestOf(await bytesOf([])),
      'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    )
  })

  it('makes the launcher layer of the reference', async () => {
    const content = Buffer.from('launcher-bytes\n')
    const bytes = await bytesOf([
      { ...root, name: '/cnb', type: 'directory', mode: 0o755 },
      { ...root, name: '/cnb/lifecycle', type: 'directory', mode: 0o755 },
      { ...root, name: '/cnb/lifecycle/launcher', type: 'file', mode: 0o755, size: content.length, content },
    ])
    assert.equal(digestOf(bytes), 'sha256:8475258d00206dcadd7e488eb1f74481d4ffa775eafc8847cb1064c85676acc9')
  })

  it('makes the process layers of the reference', async () => {
    const link = (type: string): TarEntry => ({
      ...root,
      name: `/cnb/process/${type}`,
      type: 'symlink',
      mode: 0o755,
      linkname: '/cnb/lifecycle/launcher',
    })
    const directories: TarEntry[] = ['/cnb', '/cnb/process'].map(name => ({
      ...root,
      name,
      type: 'directory',
      mode: 0o755,
    }))
    assert.equal(
      digestOf(await bytesOf([...directories, link('web'), link('worker')])),
      'sha256:c32b6c6d08c5d84a980a518d1dd9093c22b9e003f2b6b468f12fe1e7cd918b3f',
    )
    assert.equal(
      digestOf(await bytesOf([...directories, link('web')])),
      'sha256:83d85471d9f8a3834b4e27cf701e3f0aef220cc816d9c173c7d32cd73909a590',
    )
  })

  it('records the whole of a long name where there is a PAX header for another reason, as the reference does', async () => {
    const name = `/${'d'.repeat(40)}/${'n'.repeat(90)}`
    const entry: TarEntry = { ...root, name, type: 'directory', mode: 0o755 }
    assert.ok(!(await bytesOf([entry])).includes('path='))
    assert.ok((await bytesOf([{ ...entry, gid: 2 ** 31 - 1 }])).includes(`path=${name}\n`))
  })

  it('refuses a content that is shorter or longer than announced', async () => {
    for (const content of ['ab', 'abcd']) {
      await assert.rejects(
        bytesOf([{ ...root, name: 'a', type: 'file', mode: 0o644, size: 3, content: Buffer.from(content) }]),
        /changed while it was read/,
      )
    }
  })
})

const name = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map(bytes => Buffer.from(bytes.map(byte => (byte === 0 ? 0x61 : byte))))
  .filter(bytes => bytes[bytes.length - 1] !== 0x2f)
const entry = fc
  .record({
    name,
    type: fc.constantFrom('file' as const, 'symlink' as const, 'directory' as const),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 2 ** 31 }),
    gid: fc.integer({ min: 0, max: 2 ** 31 }),
    mtime: fc.integer({ min: 0, max: 2 ** 36 }),
    body: fc.uint8Array({ maxLength: 1500 }),
    linkname: name,
  })
  .map(
    ({ body, linkname, ...header }): TarEntry => ({
      ...header,
      size: header.type === 'file' ? body.length : 0,
      ...(header.type === 'file' ? { content: body } : {}),
      ...(header.type === 'symlink' ? { linkname } : {}),
    }),
  )

describe('readTar', () => {
  it('reads back what was written, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 6 }),
        fc.integer({ min: 1, max: 4096 }),
        async (entries, step) => {
          const bytes = await bytesOf(entries)
          const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
            bytes.subarray(index * step, (index + 1) * step),
          )
          const found = await entriesOf(chunks)
          assert.equal(found.length, entries.length)
          entries.forEach((wanted, index) => {
            const { content, pax: _, ...header } = wanted
            const {
              content: bodyFound,
              pax: _pax,
              offset,
              ...headerFound
            } = found[index] as Record<string, unknown>
            const body = Buffer.from((content as Uint8Array | undefined) ?? [])
            assert.deepEqual(headerFound, header)
            assert.deepEqual(bodyFound, body)
            assert.deepEqual(bytes.subarray(offset as number, (offset as number) + body.length), body)
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('agrees with Python about names, types, owners and sizes', async context => {
    const script =
      'import sys,tarfile,json;t=tarfile.open(fileobj=sys.stdin.buffer,mode="r|",errors="surrogateescape");print(json.dumps([[m.name.encode("utf8","surrogateescape").hex(),m.mode,m.uid,m.gid,m.size,m.isdir(),m.issym()] for m in t]))'
    const entries: TarEntry[] = [
      {
        ...root,
        name: `/layers/${'d'.repeat(60)}/${'e'.repeat(90)}`,
        type: 'file',
        mode: 0o4755,
        size: 2,
        content: Buffer.from('hi'),
      },
      { ...root, name: `/${'long/'.repeat(60)}x`, type: 'directory', mode: 0o755, uid: 3_000_000 },
      { ...root, name: Buffer.from([0x2f, 0xff, 0xfe]), type: 'symlink', mode: 0o777, linkname: 'ü' },
    ]
    let answer: string
    try {
      answer = execFileSync('python3', ['-c', script], { input: await bytesOf(entries), encoding: 'utf8' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('there is no python3 here')
      throw error
    }
    const expected = entries.map(({ name: wanted, mode, uid, gid, size, type }) => [
      Buffer.from(wanted as string)
        .toString('hex')
        .replace(/^2f/, ''),
      mode,
      uid,
      gid,
      size,
      type === 'directory',
      type === 'symlink',
    ])
    assert.deepEqual(
      JSON.parse(answer).map(([hex, ...rest]: [string]) => [hex.replace(/^2f/, ''), ...rest]),
      expected,
    )
  })

  it('lets a reader stop in the middle of a content and go on with the next entry', async () => {
    const content = Buffer.alloc(5000, 1)
    const bytes = await bytesOf([
      { ...root, name: 'a', type: 'file', mode: 0o644, size: content.length, content },
      { ...root, name: 'b', type: 'directory', mode: 0o755 },
    ])
    const names: string[] = []
    for await (const found of readTar(
      (async function* () {
        for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700)
      })(),
    )) {
      names.push(found.name.toString())
      for await (const _ of found.content) break
    }
    assert.deepEqual(names, ['a', 'b'])
  })

  it('ends its source, however reading ends', async () => {
    const good = await bytesOf(['a', 'b'].map(name => ({ ...root, name, type: 'directory', mode: 0o755 })))
    const ends = async (bytes: Uint8Array, most: number) => {
      let ended = false
      const source = (async function* () {
        try {
          yield bytes
          yield new Uint8Array(512)
        } finally {
          ended = true
        }
      })()
      let read = 0
      try {
        for await (const _ of readTar(source)) if (++read === most) break
      } catch {
        // Cut in the middle.
      }
      return ended
    }
    assert.deepEqual(
      [await ends(good, 1), await ends(good, 9), await ends(good.fill(1, 512), 9)],
      [true, true, true],
    )
  })

  it('refuses archives that are cut, altered, or claim what cannot be', async () => {
    const good = await bytesOf([
      { ...root, name: 'a', type: 'file', mode: 0o644, size: 600, content: Buffer.alloc(600) },
    ])
    const altered = Buffer.from(good)
    altered[0] = 0x62
    await assert.rejects(entriesOf(good.subarray(0, 900)), {
      code: 'TAR_MALFORMED',
      why: /ends in the middle/,
    })
    await assert.rejects(entriesOf(altered), { code: 'TAR_MALFORMED', why: /checksum/ })
    await assert.rejects(entriesOf(good, { entries: 10, bytes: 599, headerBytes: 100 }), {
      why: /unpacks to more/,
    })
    assert.equal((await entriesOf(good)).length, 1)
  })
})
