import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { poolPath, TODAY } from '../sources/debian-mirror.testing.ts'
import { PACKAGES, testGround, testRecipe } from './base.testing.ts'
import { changesBetween, ensureBase } from './ensure.ts'
import { lockBase } from './lock-base.ts'
import { storeBase } from './store-base.ts'

const TARGET = { release: 'trixie', arch: 'amd64' } as const
const HELLO = PACKAGES.find(({ name }) => name === 'hello') as (typeof PACKAGES)[number]

/** Debian has published another version and dropped the one before. */
async function patched(given: Awaited<ReturnType<typeof testGround>>) {
  const patch = { ...HELLO, version: '1:2.10-1+deb13u1' }
  await given.mirror.publish('trixie', [...PACKAGES.filter(each => each !== HELLO), patch], {
    date: TODAY - 1000,
  })
  given.mirror.files.delete(poolPath(HELLO))
}

describe('ensureBase', () => {
  it('chooses the newest packages where nothing is pinned, and pins them', async () => {
    await using given = await testGround()
    const { context, store } = given
    const make = (lock: Parameters<typeof storeBase>[1]) =>
      storeBase(testRecipe(), lock, store, ['x'], context)
    const { lock, changes, made } = await ensureBase(testRecipe(), TARGET, {}, context, make)
    assert.deepEqual(
      lock.packages.map(({ name, version, why }) => [name, version, why]),
      [
        ['base-files', '13', 'recipe'],
        ['hello', '1:2.10-1', 'recipe'],
        ['libhello', '1.0-1', 'hello'],
      ],
    )
    assert.deepEqual(lock.excluded, { debconf: ['hello'], 'debconf-2.0': ['hello'] })
    assert.deepEqual(changes, [])
    assert.equal((await store.image('x'))?.digest, made.digest)
  })

  it('makes exactly what is pinned, though there is something newer', async () => {
    await using given = await testGround()
    const recipe = testRecipe()
    const lock = await lockBase(recipe, TARGET, given.context)
    await patched(given)
    const context = given.again()
    const ensured = await ensureBase(recipe, TARGET, { lock }, context, async each => each)
    assert.equal(ensured.lock, lock)
    const image = await storeBase(recipe, lock, given.store, [], context)
    assert.match(JSON.stringify(image.config.config), /2\.10|hello/)
    assert.ok(!given.mirror.asked.some(path => path.includes('deb13u1')))
  })

  it('says which packages vanished, what took their place, and goes on', async () => {
    await using given = await testGround()
    const recipe = testRecipe()
    const lock = await lockBase(recipe, TARGET, given.context)
    await patched(given)
    await using other = await testGround()
    const context = { ...other.context, archive: given.mirror.archive(other.home) }
    const make = (each: typeof lock) => storeBase(recipe, each, other.store, ['x'], context)
    const { lock: after, changes } = await ensureBase(recipe, TARGET, { lock }, context, make)
    assert.deepEqual(changes, ['hello 1:2.10-1 -> 1:2.10-1+deb13u1'])
    assert.equal(after.packages.find(({ name }) => name === 'hello')?.version, '1:2.10-1+deb13u1')
    assert.match(
      context.report.lines.join('\n'),
      /Warning: .*hello 1:2\.10-1\b.*\n {2}hello 1:2\.10-1 -> 1:2\.10-1\+deb13u1/,
    )
  })

  it('refuses to choose anything where that is forbidden', async () => {
    await using given = await testGround()
    const recipe = testRecipe()
    const lock = await lockBase(recipe, TARGET, given.context)
    await patched(given)
    await using other = await testGround()
    const context = { ...other.context, archive: given.mirror.archive(other.home) }
    const make = (each: typeof lock) => storeBase(recipe, each, other.store, ['x'], context)
    await assert.rejects(ensureBase(recipe, TARGET, { lock, locked: true }, context, make), {
      code: 'BASE_PACKAGES_VANISHED',
      message: /hello 1:2\.10-1/,
    })
    await assert.rejects(ensureBase(recipe, TARGET, { locked: true }, context, make), {
      code: 'BASE_LOCK_MISSING',
    })
    assert.deepEqual(await other.store.list(), [])
  })

  it('does not mistake a mirror that is down for one that has dropped packages', async () => {
    await using given = await testGround()
    const lock = await lockBase(testRecipe(), TARGET, given.context)
    await using other = await testGround()
    given.mirror.answers.set(poolPath(HELLO), response => response.writeHead(500).end())
    const context = { ...other.context, archive: given.mirror.archive(other.home) }
    const make = (each: typeof lock) => storeBase(testRecipe(), each, other.store, ['x'], context)
    await assert.rejects(ensureBase(testRecipe(), TARGET, { lock }, context, make), {
      code: 'DEBIAN_REFUSED',
    })
  })
})

describe('lockBase', () => {
  it('refuses packages whose scripts nobody has read', async () => {
    const postinst = '#!/bin/sh\nset -e\nuseradd --system hello\ncat >/etc/hello <<X\nX\n'
    await using given = await testGround(
      PACKAGES.map(each => (each === HELLO ? { ...each, scripts: { postinst } } : each)),
    )
    await assert.rejects(lockBase(testRecipe(), TARGET, given.context), {
      code: 'BASE_SCRIPT_UNKNOWN',
      why: /hello: useradd --system hello/,
    })
  })

  it('asks for no index twice that has not changed, and for a new one at once', async () => {
    await using given = await testGround()
    const first = await lockBase(testRecipe(), TARGET, given.context)
    const before = given.mirror.asked.length
    assert.deepEqual(await lockBase(testRecipe(), TARGET, given.again()), first)
    assert.deepEqual(given.mirror.asked.slice(before), ['dists/trixie/InRelease'])
    await patched(given)
    assert.equal(changesBetween(first, await lockBase(testRecipe(), TARGET, given.again())).length, 1)
  })
})
