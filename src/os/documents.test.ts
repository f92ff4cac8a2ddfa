import assert from 'node:assert/strict'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openCatalog, ownBase } from './catalog.ts'
import { type BaseLock, misfitOf, parseLocks, printLocks } from './lock.ts'
import { parseRecipe } from './recipe.ts'

const RECIPE = `name = "run:shop"
role = "run"
summary = "For shops"
packages = ["base-files"]

[releases.trixie]
version = "13"
suites = ["trixie"]
packages = ["libc6"]
`

const LOCK: BaseLock = {
  name: 'run:shop',
  release: 'trixie',
  arch: 'amd64',
  suites: [{ suite: 'trixie', date: '2026-01-01T00:00:00.000Z', index: 'a'.repeat(64), signers: ['ABCD'] }],
  packages: ['base-files', 'libc6'].map(name => ({
    name,
    version: '1:2-3',
    arch: 'amd64',
    sha256: 'b'.repeat(64),
    size: 7,
    path: `pool/main/x/${name}_2-3_amd64.deb`,
    suite: 'trixie',
    why: 'recipe',
  })),
  excluded: {},
}

describe('recipes', () => {
  it('are read, with what they leave unsaid', () => {
    const recipe = parseRecipe(RECIPE, 'shop.toml')
    assert.deepEqual(
      [recipe.slim, recipe.truststore, recipe.choose, recipe.exclude],
      [true, false, 'newest', []],
    )
    assert.deepEqual(recipe.releases.trixie?.packages, ['libc6'])
  })

  const wrong: readonly [string, string, RegExp][] = [
    [
      'packages = ["base-files"]',
      'packages = ["Base Files"]',
      /line 4, column 1: packages\.0: must be a package name/,
    ],
    ['packages = ["base-files"]', 'packages = []', /must name a package/],
    ['role = "run"', 'role = "walk"', /role/],
    ['name = "run:shop"', 'name = "shop"', /must be of the form run:NAME/],
    ['suites = ["trixie"]', 'suites = ["../etc"]', /must be the name of a suite/],
    ['summary = "For shops"', 'summary = "For shops"\nscripts = ["x"]', /scripts/],
    ['summary = "For shops"', 'summary = "For shops', /line 3/],
  ]
  for (const [from, to, why] of wrong) {
    it(`say where they are wrong: ${to.split('\n').at(-1)}`, () => {
      assert.throws(
        () => parseRecipe(RECIPE.replace(from, to), 'shop.toml'),
        error => {
          assert.match(String(error), why)
          assert.match(String(error), /shop\.toml/)
          return true
        },
      )
    })
  }
})

describe('locks', () => {
  it('are read as they were printed, and sorted', () => {
    const other = { ...LOCK, arch: 'arm64' as const }
    const text = printLocks([other, LOCK])
    assert.deepEqual(parseLocks(text, 'x'), [LOCK, other])
    assert.equal(printLocks(parseLocks(text, 'x')), text)
  })

  const hostile: readonly [string, Partial<BaseLock['packages'][number]>][] = [
    ['a path that leads upwards', { path: 'pool/../x.deb' }],
    ['a path that leads upwards later', { path: 'pool/main/../../x.deb' }],
    ['an absolute path', { path: '/etc/passwd.deb' }],
    ['a URL', { path: 'https://elsewhere.example/x.deb' }],
    ['a name with a slash', { name: 'a/b' }],
    ['a name that is an option', { name: '-rf' }],
    ['a digest that is none', { sha256: 'B'.repeat(64) }],
    ['a size below nothing', { size: -1 }],
    ['a version with a line end', { version: '1\n2' }],
    ['an architecture of another machine', { arch: 's390x' }],
    ['a reason that is no package', { why: '\u001b[2J' }],
  ]
  for (const [what, change] of hostile) {
    it(`with ${what} are refused`, () => {
      const packages = [{ ...LOCK.packages[0], ...change }] as BaseLock['packages']
      assert.throws(() => parseLocks(printLocks([{ ...LOCK, packages }]), 'x'), { code: 'DOCUMENT_INVALID' })
    })
  }

  it('are held to their recipe', () => {
    const recipe = parseRecipe(RECIPE, 'shop.toml')
    assert.equal(misfitOf(recipe, LOCK), undefined)
    assert.match(misfitOf({ ...recipe, packages: ['bash'] }, LOCK) ?? '', /bash not in it/)
    assert.match(misfitOf({ ...recipe, exclude: ['libc6'] }, LOCK) ?? '', /libc6 in it, and excluded/)
    assert.match(misfitOf(recipe, { ...LOCK, release: 'sid' }) ?? '', /no release sid/)
    assert.match(misfitOf(recipe, { ...LOCK, name: 'run:other' }) ?? '', /run:other/)
  })
})

describe('the catalog', () => {
  it('finds bases by name, release and architecture', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'catalog-test-')
    const releases = RECIPE + RECIPE.slice(RECIPE.indexOf('[releases')).replaceAll('trixie', 'bookworm')
    await writeFile(join(place.path, 'run-shop.toml'), releases)
    await writeFile(join(place.path, 'run-shop.lock.json'), printLocks([LOCK]))
    const catalog = openCatalog(place.path)
    const found = async (name: string) => {
      const { reference, release, arch } = await catalog.find(name)
      return [reference, release, arch]
    }
    assert.deepEqual(await found('run:shop'), ['slipway/run:shop', 'trixie', undefined])
    assert.deepEqual(await found('slipway/run:shop-bookworm'), [
      'slipway/run:shop-bookworm',
      'bookworm',
      undefined,
    ])
    assert.deepEqual(await found('run:shop-trixie-arm64'), ['slipway/run:shop', 'trixie', 'arm64'])
    assert.deepEqual(
      [await catalog.has('slipway/run:shop'), await catalog.has('run:shop'), await catalog.has('slipway/x')],
      [true, false, false],
    )
    await assert.rejects(catalog.find('run:nix'), { code: 'BASE_UNKNOWN', fix: /slipway\/run:shop\b/ })
    const { recipe } = await catalog.find('run:shop')
    assert.deepEqual(await catalog.lock(recipe, { release: 'trixie', arch: 'amd64' }), LOCK)
    assert.equal(await catalog.lock(recipe, { release: 'trixie', arch: 'arm64' }), undefined)
  })

  it('finds every recipe that is shipped by the names that it is listed with, and reads no other file for that', async () => {
    const shipped = openCatalog('images')
    const listed = await shipped.list()
    assert.ok(listed.length > 5)
    for (const { reference, recipe, release } of listed) {
      await using place = await temporaryDirectory(tmpdir(), 'catalog-test-')
      await cp('images', place.path, { recursive: true })
      const own = `${recipe.name.replace(':', '-')}.toml`
      for (const file of await readdir(place.path))
        if (file.endsWith('.toml') && !`${own.slice(0, -5)}-`.startsWith(`${file.slice(0, -5)}-`))
          await writeFile(join(place.path, file), 'no recipe')
      for (const name of [reference, `slipway/${recipe.name}-${release}-arm64`]) {
        const found = await openCatalog(place.path).find(name)
        assert.deepEqual([found.reference, found.release], [reference, release], name)
      }
    }
    assert.equal((await shipped.recipe('tool:bubblewrap')).name, 'tool:bubblewrap')
  })

  it('takes recipes of the user, whose lock stands beside them', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'catalog-test-')
    await mkdir(join(place.path, 'ours'))
    const path = join(place.path, 'ours/shop.toml')
    await assert.rejects(ownBase(path), { code: 'BASE_RECIPE_MISSING' })
    await writeFile(path, RECIPE)
    const { reference, release, lockFile } = await ownBase(path)
    assert.deepEqual(
      [reference, release, lockFile],
      ['run:shop', 'trixie', join(place.path, 'ours/shop.lock.json')],
    )
    await assert.rejects(ownBase(path, 'bookworm'), { code: 'BASE_RELEASE_UNKNOWN' })
  })
})
