import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openTestMirror, poolPath, type TestPackage, TODAY, testKey } from './debian-mirror.testing.ts'
import { type DebianPackage, isVanished } from './mod.ts'

const HELLO: TestPackage = { name: 'hello', version: '1.0-1', files: { 'usr/bin/hello': 'hello\n' } }
const DAY = 86_400_000
const IN_RELEASE = 'dists/trixie/InRelease'

async function published(packages: readonly TestPackage[] = [HELLO]) {
  const mirror = await openTestMirror()
  const home = await temporaryDirectory(tmpdir(), 'debian-test-')
  for (const suite of ['trixie', 'trixie-updates', 'trixie-security'])
    await mirror.publish(suite, suite === 'trixie' ? packages : [])
  return {
    mirror,
    home: home.path,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

/** Everything that was kept as an artifact. */
function kept(home: string): string[] {
  try {
    return readdirSync(join(home, 'artifacts/sha256'))
  } catch {
    return []
  }
}

function altered(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 0x20
  return copy
}

describe('Debian archive', () => {
  it('lists and fetches what a signed index names', async () => {
    await using given = await published()
    const archive = given.mirror.archive(given.home)
    const [found] = await archive.find('trixie', 'amd64', ['hello'])
    assert.equal(found?.version, '1.0-1')
    const { path } = await archive.fetch(found as DebianPackage)
    assert.deepEqual(readFileSync(path), given.mirror.files.get(poolPath(HELLO)))
    const index = await archive.index('trixie', 'amd64')
    assert.deepEqual(
      [...(await index.all())].map(({ name }) => name),
      ['hello'],
    )
  })

  it('asks for nothing twice', async () => {
    await using given = await published()
    const [found] = await given.mirror.archive(given.home).find('trixie', 'amd64', ['hello'])
    await given.mirror.archive(given.home).fetch(found as DebianPackage)
    const before = given.mirror.asked.length
    await given.mirror.archive(given.home).fetch(found as DebianPackage)
    assert.equal(given.mirror.asked.length, before)
  })

  const refused: readonly [
    string,
    string,
    (given: Awaited<ReturnType<typeof published>>) => void | Promise<void>,
  ][] = [
    [
      'an InRelease file that was changed after it was signed',
      'DEBIAN_SIGNATURE',
      ({ mirror: { files } }) => {
        const text = (files.get(IN_RELEASE) as Buffer)
          .toString()
          .replace(/ [0-9a-f]{64} /, ` ${'0'.repeat(64)} `)
        files.set(IN_RELEASE, Buffer.from(text))
      },
    ],
    [
      'an InRelease file that another key signed',
      'DEBIAN_SIGNATURE',
      async ({ mirror }) => mirror.publish('trixie', [HELLO], { signer: await testKey() }),
    ],
    [
      'an InRelease file without a signature',
      'DEBIAN_SIGNATURE',
      ({ mirror: { files } }) => {
        const text = (files.get(IN_RELEASE) as Buffer).toString()
        const body = text.slice(text.indexOf('Origin:'), text.indexOf('-----BEGIN PGP SIGNATURE'))
        files.set(IN_RELEASE, Buffer.from(body))
      },
    ],
    [
      'the InRelease file of another suite',
      'DEBIAN_INDEX',
      ({ mirror: { files } }) => {
        files.set(IN_RELEASE, files.get('dists/trixie-updates/InRelease') as Buffer)
      },
    ],
    [
      'an index past its Valid-Until',
      'DEBIAN_EXPIRED',
      ({ mirror }) => mirror.publish('trixie', [HELLO], { date: TODAY - 9 * DAY, validUntil: TODAY - 1 }),
    ],
    [
      'an index of the day after tomorrow',
      'DEBIAN_NOT_YET',
      ({ mirror }) => mirror.publish('trixie', [HELLO], { date: TODAY + 2 * DAY }),
    ],
    [
      'an index that is older than one seen before, whose packages are nowhere any more',
      'DEBIAN_ROLLBACK',
      async ({ mirror, home }) => {
        await mirror.archive(home).index('trixie', 'amd64')
        for (const path of [...mirror.files.keys()])
          if (/trixie\/.*(?:Packages|by-hash)/.test(path)) mirror.files.delete(path)
        await mirror.publish('trixie', [], { date: TODAY - 5 * DAY })
      },
    ],
    [
      'packages other than those that were signed for',
      'ARTIFACT_DIFFERS',
      ({ mirror: { files } }) => {
        for (const [path, bytes] of files)
          if (/trixie\/.*(?:Packages|by-hash)/.test(path)) files.set(path, altered(bytes, 40))
      },
    ],
    [
      'an index that never ends',
      'ARTIFACT_TOO_LARGE',
      ({ mirror }) => {
        for (const path of mirror.files.keys())
          if (/trixie\/.*(?:Packages|by-hash)/.test(path)) mirror.answers.set(path, endless)
      },
    ],
    [
      'an InRelease file that never ends',
      'SOURCE_ANSWER_INVALID',
      ({ mirror }) => {
        mirror.answers.set(IN_RELEASE, endless)
      },
    ],
    [
      'a mirror without the suite',
      'DEBIAN_UNREACHABLE',
      ({ mirror }) => {
        mirror.files.delete(IN_RELEASE)
      },
    ],
  ]
  for (const [what, code, lie] of refused) {
    it(`refuses ${what}`, async () => {
      await using given = await published()
      await lie(given)
      const asking = async () => (await given.mirror.archive(given.home).index('trixie', 'amd64')).all()
      await assert.rejects(asking, { name: 'Problem', code })
      assert.deepEqual(kept(given.home), [])
    })
  }

  it('reads nothing of an InRelease file but what was signed', async () => {
    await using given = await published()
    const { files } = given.mirror
    const signed = (files.get(IN_RELEASE) as Buffer).toString()
    const body = signed.slice(signed.indexOf('Origin:'), signed.indexOf('-----BEGIN PGP SIGNATURE'))
    const forged = body.replaceAll(/[0-9a-f]{64}/g, '0'.repeat(64))
    files.set(IN_RELEASE, Buffer.from(`${forged}\n${signed}\n${forged}`))
    const index = await given.mirror.archive(given.home).index('trixie', 'amd64')
    assert.ok(body.includes(index.digest.slice('sha256:'.length)))
  })

  it('keeps to the newest state that it saw, where a mirror offers an older one', async () => {
    await using given = await published()
    const { mirror, home } = given
    const seen = await mirror.archive(home).index('trixie', 'amd64')
    const packages = [...(await seen.all())].map(({ name, version }) => `${name} ${version}`)
    for (const path of [...mirror.files.keys()])
      if (/trixie\/.*(?:Packages|by-hash)/.test(path)) mirror.files.delete(path)
    await mirror.publish('trixie', [], { date: TODAY - 5 * DAY })
    const again = await mirror.archive(home).index('trixie', 'amd64')
    assert.equal(again.digest, seen.digest)
    assert.deepEqual(
      [...(await again.all())].map(({ name, version }) => `${name} ${version}`),
      packages,
    )
  })

  it('takes old indices where that is asked for', async () => {
    await using given = await published()
    await given.mirror.archive(given.home).index('trixie', 'amd64')
    await given.mirror.publish('trixie', [HELLO], { date: TODAY - 9 * DAY, validUntil: TODAY - DAY })
    const archive = given.mirror.archive(given.home, { mirrors: { allowOld: true } })
    assert.equal((await archive.find('trixie', 'amd64', ['hello'])).length, 1)
  })

  it('goes to the next mirror where one lies', async () => {
    await using honest = await published()
    await using lying = await published()
    await lying.mirror.publish('trixie', [HELLO], { signer: await testKey() })
    lying.mirror.files.set(poolPath(HELLO), Buffer.from('something else'))
    const main = [lying.mirror.url, honest.mirror.url]
    const archive = honest.mirror.archive(honest.home, { mirrors: { main } })
    const [found] = await archive.find('trixie', 'amd64', ['hello'])
    await archive.fetch(found as DebianPackage)
    assert.ok(lying.mirror.asked.includes(poolPath(HELLO)))
  })

  const packages: readonly [string, string, (bytes: Buffer) => Buffer][] = [
    ['with one byte changed', 'ARTIFACT_DIFFERS', bytes => altered(bytes, 100)],
    ['that is too short', 'ARTIFACT_DIFFERS', bytes => bytes.subarray(0, -1)],
    ['that is too long', 'ARTIFACT_TOO_LARGE', bytes => Buffer.concat([bytes, Buffer.from('x')])],
  ]
  for (const [what, code, alter] of packages) {
    it(`refuses a package ${what}`, async () => {
      await using given = await published()
      const { files } = given.mirror
      const archive = given.mirror.archive(given.home)
      const [found] = await archive.find('trixie', 'amd64', ['hello'])
      const before = kept(given.home)
      files.set(poolPath(HELLO), alter(files.get(poolPath(HELLO)) as Buffer))
      await assert.rejects(archive.fetch(found as DebianPackage), { name: 'Problem', code })
      assert.deepEqual(kept(given.home), before)
    })
  }

  it('begins anew where a transfer breaks off, and gives up after some', async () => {
    await using given = await published()
    const { mirror } = given
    const archive = mirror.archive(given.home)
    const [found] = await archive.find('trixie', 'amd64', ['hello'])
    const whole = mirror.files.get(poolPath(HELLO)) as Buffer
    let failures = 2
    mirror.answers.set(poolPath(HELLO), response => {
      response.writeHead(200, { 'content-length': whole.length })
      if (failures-- > 0) response.write(whole.subarray(0, 50), () => response.destroy())
      else response.end(whole)
    })
    await archive.fetch(found as DebianPackage)
    mirror.answers.set(poolPath(HELLO), response => {
      response.writeHead(200, { 'content-length': whole.length })
      response.write(whole.subarray(0, 50), () => response.destroy())
    })
    await using elsewhere = await temporaryDirectory(tmpdir(), 'debian-test-')
    await assert.rejects(mirror.archive(elsewhere.path).fetch(found as DebianPackage), {
      code: 'SOURCE_INTERRUPTED',
    })
    assert.deepEqual(kept(elsewhere.path), [])
  })

  it('says that a package has vanished only where every mirror says so', async () => {
    await using given = await published()
    await using other = await published()
    const { mirror, home } = given
    const archive = mirror.archive(home, { mirrors: { snapshots: [other.mirror.url] } })
    const [found] = await archive.find('trixie', 'amd64', ['hello'])
    mirror.files.delete(poolPath(HELLO))
    other.mirror.answers.set(poolPath(HELLO), response => response.writeHead(500).end())
    await assert.rejects(archive.fetch(found as DebianPackage), { code: 'DEBIAN_REFUSED' })
    other.mirror.answers.set(poolPath(HELLO), response => response.writeHead(404).end())
    await assert.rejects(archive.fetch(found as DebianPackage), isVanished)
    other.mirror.answers.clear()
    await archive.fetch(found as DebianPackage)
  })

  it('asks only for what lies in the pool', async () => {
    await using given = await published()
    const archive = given.mirror.archive(given.home)
    const before = given.mirror.asked.length
    for (const path of ['../secret', 'pool/../../secret', 'pool/./x', '/etc/passwd', 'http://elsewhere/x'])
      await assert.rejects(archive.fetch({ path, sha256: 'a'.repeat(64), size: 1 }), {
        code: 'PACKAGE_VANISHED',
      })
    assert.equal(given.mirror.asked.length, before)
  })

  it('says what to set where no mirror is known', async () => {
    await using given = await published()
    const archive = given.mirror.archive(given.home, { mirrors: { main: [], security: [] } })
    await assert.rejects(archive.index('trixie', 'amd64'), {
      code: 'DEBIAN_NO_MIRROR',
      fix: /SLIPWAY_APT_MIRROR/,
    })
  })
})

function endless(response: import('node:http').ServerResponse): void {
  response.writeHead(200)
  const chunk = Buffer.alloc(1 << 16, 'x')
  const more = () => {
    while (!response.destroyed && response.write(chunk)) {
      // As fast as it is read.
    }
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}
