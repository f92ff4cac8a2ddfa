import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { digestOf, removeTree } from '#std'
import { goDirhash } from './go-dirhash.ts'
import { openNote, parseNoteKey } from './go-note.ts'
import { goSettings, parseGoEnv, readGoSettings } from './go-settings.ts'
import { nodeHash, recordHash } from './go-tree.ts'
import { openGoModules } from './gomod.ts'
import { fakeServer } from './registry.testing.ts'

const PROXY = 'https://mirror.example/go'
const signer = generateKeyPairSync('ed25519')
const keyBytes = Buffer.concat([
  Buffer.of(1),
  Buffer.from(signer.publicKey.export({ format: 'jwk' }).x as string, 'base64url'),
])
const keyId = createHash('sha256').update('sums.example\n').update(keyBytes).digest().subarray(0, 4)
const KEY = `sums.example+${keyId.toString('hex')}+${keyBytes.toString('base64')}`

function signed(text: string): string {
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), signer.privateKey)])
  return `${text}\n\u2014 sums.example ${signature.toString('base64')}\n`
}

/** A zip with one stored file. */
function zipOf(name: string, content: string): Buffer {
  const [bytes, label] = [Buffer.from(content), Buffer.from(name)]
  const header = Buffer.alloc(26)
  header.writeUInt32LE(crc32(bytes), 10)
  header.writeUInt32LE(bytes.length, 14)
  header.writeUInt32LE(bytes.length, 18)
  header.writeUInt16LE(label.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, label, bytes])
  const rest = Buffer.alloc(14)
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), header, rest, label])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end])
}

const NAME = 'example.com/mod@v1.0.0/a.txt'
const zip = zipOf(NAME, 'hello')
const line = `${createHash('sha256').update('hello').digest('hex')}  ${NAME}\n`
const h1 = `h1:${createHash('sha256').update(line).digest('base64')}`
const record = `example.com/mod v1.0.0 ${h1}\nexample.com/mod v1.0.0/go.mod h1:x\n`

/** A database with two records, of which the second is the module's. */
function database(changes: { record?: string; note?: (text: string) => string } = {}) {
  const first = recordHash('first\n')
  const root = nodeHash(first, recordHash(changes.record ?? record))
  const head = `go.sum database tree\n2\n${root.toString('base64')}\n`
  const answer = `1\n${record}\n${(changes.note ?? signed)(head)}`
  return {
    [`${PROXY}/sumdb/sums.example/supported`]: '',
    [`${PROXY}/sumdb/sums.example/lookup/example.com/mod@v1.0.0`]: answer,
    [`${PROXY}/sumdb/sums.example/tile/8/0/000.p/2`]: Buffer.concat([first, recordHash(record)]),
  }
}

async function modules(files: Record<string, string | Buffer | number>, values: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'gomod-'))
  const server = fakeServer(files)
  const artifacts: typeof server.access.artifacts = {
    ...server.access.artifacts,
    async add(stream) {
      const chunks: Uint8Array[] = []
      for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk)
      const content = Buffer.concat(chunks)
      const path = join(directory, 'module.zip')
      await writeFile(path, content)
      return { digest: digestOf(content), size: content.length, path }
    },
  }
  const settings = goSettings({ GOPROXY: `${PROXY},direct`, GOSUMDB: KEY, ...values })
  return {
    ...server,
    go: openGoModules(settings, { ...server.access, artifacts }),
    [Symbol.asyncDispose]: () => removeTree(directory),
  }
}

const ZIP = `${PROXY}/example.com/mod/@v/v1.0.0.zip`
const MODULE = { path: 'example.com/mod', version: 'v1.0.0' }

describe('Go modules', () => {
  it('fetches a module whose digest the signed log knows', async () => {
    await using given = await modules({ ...database(), [ZIP]: zip })
    const artifact = await given.go.fetch(MODULE)
    assert.equal(artifact.h1, h1)
    assert.equal(artifact.digest, digestOf(zip))
    assert.equal(await goDirhash(artifact.path), h1)
  })

  it('lists the versions that the first proxy knows', async () => {
    const list = `${PROXY}/example.com/!mod/@v/list`
    await using given = await modules(
      { [list]: 'v1.0.0\nv1.1.0\n' },
      { GOPROXY: `https://other.example,${PROXY}` },
    )
    assert.deepEqual(await given.go.versions('example.com/Mod'), ['v1.0.0', 'v1.1.0'])
    await assert.rejects(given.go.versions('example.com/none'), { code: 'SOURCE_NOT_FOUND' })
    await assert.rejects(given.go.versions('../x'), { code: 'SOURCE_ANSWER_INVALID' })
    await using secret = await modules({}, { GOPRIVATE: 'example.com' })
    await assert.rejects(secret.go.versions('example.com/mod'), { code: 'SOURCE_NO_REGISTRY' })
  })

  it('asks nobody where the digest is known, and still compares it', async () => {
    await using given = await modules({ [ZIP]: zip })
    await given.go.fetch({ ...MODULE, h1 })
    assert.deepEqual(
      given.asked.map(({ url }) => url),
      [ZIP],
    )
    await assert.rejects(given.go.fetch({ ...MODULE, h1: 'h1:other' }), { code: 'SOURCE_CONTENT_DIFFERS' })
  })

  it('refuses a log whose signature, tree or content is not right', async () => {
    const otherKey = generateKeyPairSync('ed25519')
    const forged = (text: string) => {
      const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), otherKey.privateKey)])
      return `${text}\n\u2014 sums.example ${signature.toString('base64')}\n`
    }
    for (const [changes, why] of [
      [{ note: forged }, /not signed/],
      [{ note: (text: string) => `${text}\n` }, /not signed/],
      [{ record: 'another\n' }, /not in the tree/],
      [{ note: () => signed('something else\n') }, /no tree head/],
    ] as const) {
      await using given = await modules({ ...database(changes), [ZIP]: zip })
      await assert.rejects(given.go.fetch(MODULE), { code: 'SOURCE_ANSWER_INVALID', message: why })
    }
    await using given = await modules({ ...database(), [ZIP]: zipOf(NAME, 'evil') })
    await assert.rejects(given.go.fetch(MODULE), { code: 'SOURCE_CONTENT_DIFFERS' })
  })

  it('does without the log only where a digest is known', async () => {
    for (const values of [
      { GOSUMDB: 'off' },
      { GONOSUMDB: 'example.com' },
      { GONOSUMDB: '*.com/mod', GOPRIVATE: '' },
    ]) {
      await using given = await modules({ [ZIP]: zip }, values)
      await assert.rejects(given.go.fetch(MODULE), { code: 'SOURCE_UNVERIFIED' })
      assert.equal((await given.go.fetch({ ...MODULE, h1 })).h1, h1)
    }
  })

  it('goes on to the next proxy as the separators say', async () => {
    const other = 'https://other.example'
    const files = (status: number) => ({
      [ZIP]: status,
      [`${other}/example.com/mod/@v/v1.0.0.zip`]: zip,
    })
    for (const [separator, status, good] of [
      [',', 404, true],
      [',', 410, true],
      [',', 500, false],
      ['|', 500, true],
    ] as const) {
      await using given = await modules(files(status), { GOPROXY: `${PROXY}${separator}${other}` })
      const fetched = given.go.fetch({ ...MODULE, h1 })
      await (good ? fetched : assert.rejects(fetched, { code: 'SOURCE_REFUSED' }))
    }
  })

  it('says what to set where nothing names a proxy, and where a module is private', async () => {
    for (const values of [{ GOPROXY: 'off' }, { GOPROXY: 'direct' }, { GOPRIVATE: 'example.com/*' }]) {
      await using given = await modules({ [ZIP]: zip }, values)
      await assert.rejects(given.go.fetch({ ...MODULE, h1 }), { code: 'SOURCE_NO_REGISTRY' })
    }
    await using given = await modules({}, {})
    await assert.rejects(given.go.fetch({ path: '../x', version: 'v1' }), { code: 'SOURCE_ANSWER_INVALID' })
    await assert.rejects(given.go.fetch({ ...MODULE, h1 }), { code: 'SOURCE_NOT_FOUND' })
  })
})

describe('Go settings', () => {
  it('keeps user info out of addresses, and takes credentials from .netrc', () => {
    const netrc =
      '# c\nmachine a.example login ann password pw\nmachine b.example\n  login bob\n  password x\n'
    const { proxies } = goSettings(
      {
        GOPROXY:
          'https://u:p%40@c.example/x/|https://b.example,https://d.example,nonsense,off,https://e.example',
      },
      netrc,
    )
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
    assert.deepEqual(proxies, [
      { url: 'https://c.example/x', authorization: basic('u:p@'), forgiving: true },
      { url: 'https://b.example', authorization: basic('bob:x'), forgiving: false },
      { url: 'https://d.example', authorization: undefined, forgiving: false },
    ])
  })

  it('reads the environment over the file, and defaults only where they are needed', async () => {
    const home = await mkdtemp(join(tmpdir(), 'go-settings-'))
    const environment = { GOENV: join(home, 'env'), PATH: '/nonexistent' }
    await writeFile(environment.GOENV, 'GOPROXY=https://file.example\nGOPRIVATE=a.example\n')
    const defaults = async () => `# c\nGOPROXY=https://default.example,direct\nGOSUMDB=${KEY}\n`
    const read = async (more: object, wanted = defaults) =>
      readGoSettings({ environment: { ...environment, ...more }, home, defaults: wanted })
    const urls = async (more: object) => (await read(more)).proxies.map(({ url }) => url)
    assert.deepEqual(await urls({}), ['https://file.example'])
    assert.deepEqual(await urls({ GOPROXY: 'https://env.example' }), ['https://env.example'])
    assert.deepEqual(await urls({ GOENV: 'off' }), ['https://default.example'])
    assert.equal((await read({})).checksums?.url, 'https://sums.example')
    const never = async () => assert.fail('asked')
    assert.equal((await read({ GOSUMDB: 'off' }, never)).checksums, undefined)
    await removeTree(home)
  })

  it('matches private modules by prefix and glob', () => {
    const { isPrivate } = goSettings({ GOPRIVATE: '*.corp.example, a.example/team' })
    assert.deepEqual(
      ['git.corp.example/x', 'corp.example/x', 'a.example/team/x', 'a.example/teams', 'a.example'].map(
        isPrivate,
      ),
      [true, false, true, false, false],
    )
  })

  it('reads go.env files', () => {
    assert.deepEqual(parseGoEnv('# x\nA=1\r\nB=a=b\n c=d\n'), { A: '1', B: 'a=b' })
  })
})

describe('notes', () => {
  it('opens what the public database signed', () => {
    // A real tree head of the public database.
    const note = `go.sum database tree
66332798
czPocWFmMwQrSENohgEPvFiqA+2i/3lRZhHbxtma2UQ=

\u2014 sum.golang.org Az3grh19zTBOmg0dGOAELF5SP1N/QTSsuYwquERee13uccsbttgwVlS/0MhlHd7IEvb6fQVKmu7XFovf0PT1tKOnHQo=
`
    const { checksums } = goSettings({ GOSUMDB: 'sum.golang.org' })
    assert.ok(checksums)
    assert.match(openNote(note, checksums.key) ?? '', /^go.sum database tree\n66332798\n/)
    assert.equal(openNote(note.replace('66332798', '66332799'), checksums.key), undefined)
  })

  it('refuses keys that are none', () => {
    for (const bad of ['', 'x', KEY.replace('sums', 'sumz'), KEY.slice(0, -4)]) {
      assert.throws(() => parseNoteKey(bad), { code: 'GO_KEY_MALFORMED' })
    }
  })
})
