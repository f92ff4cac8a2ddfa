/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: npm's own placeholders look like JavaScript's */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openNpmRegistry } from './npm.ts'
import {
  configuredNpmRegistry,
  npmRegistryIn,
  parseNpmrc,
  readNpmSettings,
  settingsOf,
} from './npm-settings.ts'
import { fakeServer } from './registry.testing.ts'

const REGISTRY = 'https://mirror.example/npm/'
const archive = Buffer.from('an archive')
const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`

function packument(dist: object, version = '24.1.0'): string {
  return JSON.stringify({ versions: { [version]: { license: 'MIT', dist } } })
}

function registry(files: Record<string, string | Buffer | number>, rc = '') {
  const server = fakeServer(files)
  const values = parseNpmrc(rc, { TOKEN: 's3cret' })
  return {
    ...server,
    npm: openNpmRegistry(settingsOf(values, values.get('registry') ?? REGISTRY), server.access),
  }
}

describe('npm registry', () => {
  it('lists versions and fetches an archive that has the promised digest', async () => {
    const tarball = `${REGISTRY}node/-/node-24.1.0.tgz`
    const { npm, store } = registry({
      [`${REGISTRY}node`]: packument({ tarball, integrity }),
      [tarball]: archive,
    })
    const [version] = await npm.versions('node')
    assert.equal(version?.version, '24.1.0')
    const artifact = await npm.fetch(version!)
    assert.equal(artifact.digest, `sha256:${createHash('sha256').update(archive).digest('hex')}`)
    assert.deepEqual([...store.keys()], [artifact.digest])
  })

  it('asks its own host for an archive that the document places on another, as mirrors need', async () => {
    const elsewhere = 'https://first.example/node/-/node-24.1.0.tgz'
    const { npm, asked } = registry({
      [`${REGISTRY}node`]: packument({ tarball: elsewhere, integrity }),
      [`${REGISTRY}node/-/node-24.1.0.tgz`]: archive,
    })
    await npm.fetch((await npm.versions('node'))[0]!)
    assert.ok(!asked.some(({ url }) => url === elsewhere))
  })

  it('refuses other bytes than promised, and keeps nothing of them', async () => {
    const tarball = `${REGISTRY}node/-/node-24.1.0.tgz`
    const { npm, store } = registry({
      [`${REGISTRY}node`]: packument({ tarball, integrity }),
      [tarball]: 'evil',
    })
    const [version] = await npm.versions('node')
    await assert.rejects(npm.fetch(version!), { code: 'SOURCE_CONTENT_DIFFERS', message: /sha512/ })
    assert.equal(store.size, 0)
  })

  it('compares SHA-1 only where nothing better is promised, and refuses where nothing is', async () => {
    const tarball = `${REGISTRY}node/-/node-24.1.0.tgz`
    const shasum = createHash('sha1').update(archive).digest('hex')
    const files = (dist: object) => ({
      [`${REGISTRY}node`]: packument({ tarball, ...dist }),
      [tarball]: archive,
    })
    for (const [dist, good] of [
      [{ shasum }, true],
      [{ shasum: '0'.repeat(40) }, false],
      [{ shasum: '0'.repeat(40), integrity }, true],
      [{}, false],
    ] as const) {
      const { npm } = registry(files(dist))
      const fetched = npm.fetch((await npm.versions('node'))[0]!)
      await (good ? fetched : assert.rejects(fetched))
    }
  })

  it('takes a locked file from the store without asking anyone', async () => {
    const tarball = `${REGISTRY}node/-/node-24.1.0.tgz`
    const { npm, asked } = registry({
      [`${REGISTRY}node`]: packument({ tarball, integrity }),
      [tarball]: archive,
    })
    const [version] = await npm.versions('node')
    const { digest } = await npm.fetch(version!)
    const before = asked.length
    await npm.fetch(version!, digest.slice('sha256:'.length))
    assert.equal(asked.length, before)
  })

  it('says what is not there, who refused, and that an answer is no registry’s', async () => {
    const { npm } = registry({
      [`${REGISTRY}secret`]: 403,
      [`${REGISTRY}page`]: '<html>',
      [`${REGISTRY}odd`]: '{}',
    })
    await assert.rejects(npm.versions('absent'), { code: 'SOURCE_NOT_FOUND' })
    await assert.rejects(npm.versions('secret'), { code: 'SOURCE_REFUSED', fix: /credentials/ })
    await assert.rejects(npm.versions('page'), { code: 'JSON_MALFORMED' })
    await assert.rejects(npm.versions('odd'), { code: 'SOURCE_ANSWER_INVALID' })
    const { access } = fakeServer({})
    await assert.rejects(openNpmRegistry(settingsOf(new Map(), undefined), access).versions('x'), {
      code: 'SOURCE_NO_REGISTRY',
    })
  })

  it('hands credentials to the configured place only', async () => {
    const rc = ['registry = https://mirror.example/npm', '//mirror.example/npm/:_authToken=${TOKEN}'].join(
      '\n',
    )
    const { npm, asked } = registry(
      { [`${REGISTRY}a`]: packument({ tarball: 'https://evil.example/a.tgz', integrity }) },
      rc,
    )
    await assert.rejects(npm.fetch((await npm.versions('a'))[0]!), { code: 'SOURCE_NOT_FOUND' })
    assert.deepEqual(
      asked.map(({ url, authorization }) => [new URL(url).host, authorization]),
      [
        ['mirror.example', 'Bearer s3cret'],
        ['mirror.example', 'Bearer s3cret'],
      ],
    )
  })
})

describe('.npmrc', () => {
  const authorized = (rc: string, url: string) => settingsOf(parseNpmrc(rc, {}), undefined).authorization(url)

  it('reads keys, quotes, comments and lists', () => {
    const values = parseNpmrc(
      '; c\n# c\nregistry="https://r.example"\n ca[]="one"\nca[]=two\nbad line\nx=${NO}\n',
      {},
    )
    assert.deepEqual(
      [...values],
      [
        ['registry', 'https://r.example'],
        ['ca', 'one\ntwo'],
        ['x', '${NO}'],
      ],
    )
  })

  it('finds credentials by the longest prefix of host and path', () => {
    const rc =
      '//r.example/:_auth=cm9vdA==\n//r.example/team/:username=ann\n//r.example/team/:_password=cHc=\n'
    assert.equal(authorized(rc, 'https://r.example/x'), 'Basic cm9vdA==')
    assert.equal(
      authorized(rc, 'https://r.example/team/x'),
      `Basic ${Buffer.from('ann:pw').toString('base64')}`,
    )
    assert.equal(authorized(rc, 'https://r.example.evil/x'), undefined)
    assert.equal(authorized(rc, 'https://r.example:8443/x'), undefined)
  })

  it('names a registry that builds may be told of, unless its address holds a credential', async () => {
    await using home = await temporaryDirectory(tmpdir())
    const registryFor = async (rc: string, environment: Record<string, string> = {}) => {
      await writeFile(join(home.path, '.npmrc'), rc)
      const node = join(home.path, 'nothing/bin/node')
      return await configuredNpmRegistry({ environment, home: home.path, node })
    }
    const token = '//r.example/npm/:_authToken=s3cret\n'
    assert.equal(await registryFor(`registry=https://r.example/npm\n${token}`), 'https://r.example/npm/')
    assert.equal(
      await registryFor('registry=https://r.example/', { npm_config_registry: 'http://other.example/' }),
      'http://other.example/',
    )
    assert.equal(await registryFor(token), undefined)
    assert.equal(await registryFor('registry=https://ann:pw@r.example/'), undefined)
    assert.equal(await registryFor('registry=file:///etc'), undefined)
  })

  it('is asked for the registry that npm knows only where nobody configured one', async () => {
    await using home = await temporaryDirectory(tmpdir())
    const text = "define('registry', {\n  default: 'https://default.example/',\n  type: url,\n})\n"
    const places = {
      environment: { PATH: home.path },
      home: home.path,
      node: join(home.path, 'nothing/bin/node'),
      defaultRegistry: async () => npmRegistryIn(`define('other', {\n  default: 'x',\n})\n${text}`),
    }
    assert.equal((await readNpmSettings(places)).registry, 'https://default.example/')
    await writeFile(join(home.path, '.npmrc'), 'registry=https://r.example')
    assert.equal((await readNpmSettings(places)).registry, 'https://r.example/')
    assert.equal(npmRegistryIn('nothing'), undefined)
  })
})
