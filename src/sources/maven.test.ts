import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { mavenPath, mavenVersionsIn, openMavenRepositories } from './maven.ts'
import { centralIn, readMavenRepositories } from './maven-settings.ts'
import { fakeServer } from './registry.testing.ts'
import { parseXml } from './xml.ts'

const tool = { group: 'org.acme', artifact: 'tool', version: '1.0', classifier: 'bin', extension: 'tar.gz' }
const PATH = 'org/acme/tool/1.0/tool-1.0-bin.tar.gz'
const one = { id: 'one', url: 'https://one.example/m2/' }
const two = { id: 'two', url: 'https://two.example/', authorization: 'Basic eA==' }
const sum = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')

describe('Maven repositories', () => {
  it('fetch by coordinates from the first repository that has the file, and compare its best checksum', async () => {
    const { access, asked } = fakeServer({
      [`${two.url}${PATH}`]: 'tool',
      [`${two.url}${PATH}.sha512`]: `${sum('sha512', 'tool')}  tool-1.0-bin.tar.gz\n`,
      [`${two.url}${PATH}.sha1`]: 'f'.repeat(40),
    })
    const artifact = await openMavenRepositories([one, two], access).fetch(tool)
    assert.equal(artifact.digest, `sha256:${sum('sha256', 'tool')}`)
    assert.ok(
      asked.every(({ url, authorization }) => (authorization !== undefined) === url.startsWith(two.url)),
    )
  })

  it('refuse a file whose checksum differs, and one without any', async () => {
    const wrong = fakeServer({
      [`${one.url}${PATH}`]: 'evil',
      [`${one.url}${PATH}.sha1`]: sum('sha1', 'tool'),
    })
    await assert.rejects(openMavenRepositories([one], wrong.access).fetch(tool), {
      code: 'SOURCE_CONTENT_DIFFERS',
    })
    assert.equal(wrong.store.size, 0)
    const none = fakeServer({ [`${one.url}${PATH}`]: 'tool', [`${one.url}${PATH}.sha1`]: '<html>' })
    await assert.rejects(openMavenRepositories([one], none.access).fetch(tool), { code: 'SOURCE_NOT_FOUND' })
  })

  it('fetch exactly the locked file, wherever it is', async () => {
    const { access } = fakeServer({ [`${one.url}${PATH}`]: 404, [`${two.url}${PATH}`]: 'tool' })
    const maven = openMavenRepositories([one, two], access)
    assert.equal((await maven.fetch(tool, sum('sha256', 'tool'))).size, 4)
    await assert.rejects(maven.fetch(tool, sum('sha256', 'other')), { code: 'SOURCE_CONTENT_DIFFERS' })
  })

  it('list the versions of all repositories, without snapshots', async () => {
    const metadata = (...versions: string[]) =>
      `<?xml version="1.0"?><metadata><versioning><versions>${versions.map(v => `<version>${v}</version>`).join('')}</versions></versioning></metadata>`
    const { access } = fakeServer({
      [`${one.url}org/acme/tool/maven-metadata.xml`]: metadata('1.0', '1.1', '1.2-SNAPSHOT'),
      [`${two.url}org/acme/tool/maven-metadata.xml`]: metadata('1.1', '2.0'),
    })
    const maven = openMavenRepositories([one, two], access)
    assert.deepEqual(await maven.versions('org.acme', 'tool'), ['1.0', '1.1', '2.0'])
    await assert.rejects(maven.versions('org.acme', 'absent'), { code: 'SOURCE_NOT_FOUND' })
    assert.throws(() => mavenVersionsIn('<html/>', 'x'), { code: 'SOURCE_ANSWER_INVALID' })
  })

  it('never make a path of coordinates that lead elsewhere', () => {
    assert.equal(mavenPath(tool), PATH)
    for (const bad of ['..', '../x', 'a/b', '', '.x', 'a..b', 'a\nb', 'a?b']) {
      assert.throws(() => mavenPath({ ...tool, version: bad }), { code: 'SOURCE_NOT_FOUND' })
      assert.throws(() => mavenPath({ ...tool, group: bad }), { code: 'SOURCE_NOT_FOUND' })
    }
  })
})

describe("Maven's settings", () => {
  const superPom = async () =>
    '<project><repositories><repository><id>central</id><url>https://default.example/maven2</url></repository></repositories></project>'

  async function repositories(settings: string | undefined, environment: Record<string, string> = {}) {
    await using home = await temporaryDirectory(tmpdir())
    await mkdir(join(home.path, '.m2'))
    if (settings !== undefined) await writeFile(join(home.path, '.m2/settings.xml'), settings)
    await mkdir(join(home.path, 'maven/lib'), { recursive: true })
    return await readMavenRepositories({
      environment: { MAVEN_HOME: join(home.path, 'maven'), ...environment },
      home: home.path,
      superPom,
    })
  }

  it('name the mirror in place of what it mirrors, with its credentials', async () => {
    const found = await repositories(
      `<!-- mine --><settings xmlns="urn:x"><mirrors>
      <mirror><id>other</id><mirrorOf>elsewhere</mirrorOf><url>https://no.example</url></mirror>
      <mirror><id>corp</id><mirrorOf>*,!private</mirrorOf><url>https://corp.example/all</url></mirror></mirrors>
      <servers><server><id>corp</id><username>\${env.WHO}</username><password>p&amp;w</password></server></servers></settings>`,
      { WHO: 'ann' },
    )
    const authorization = `Basic ${Buffer.from('ann:p&w').toString('base64')}`
    assert.deepEqual(found, [{ id: 'corp', url: 'https://corp.example/all/', authorization }])
  })

  it('add the repositories of active profiles before central', async () => {
    const profile = (id: string, active: boolean) =>
      `<profile><id>${id}</id><activation><activeByDefault>${active}</activeByDefault></activation><repositories>
       <repository><id>${id}-repo</id><url>https://${id}.example/</url></repository></repositories></profile>`
    const found =
      await repositories(`<settings><profiles>${profile('a', false)}${profile('b', true)}${profile('c', false)}</profiles>
      <activeProfiles><activeProfile>c</activeProfile></activeProfiles>
      <mirrors><mirror><id>m</id><mirrorOf>central</mirrorOf><url>https://m.example</url></mirror></mirrors></settings>`)
    assert.deepEqual(
      found.map(({ id }) => id),
      ['b-repo', 'c-repo', 'm'],
    )
  })

  it('are forced by SLIPWAY_MAVEN_MIRROR, user and password included', async () => {
    const found = await repositories('<settings/>', {
      SLIPWAY_MAVEN_MIRROR: 'https://ann:pw@mirror.example/m2',
    })
    assert.deepEqual(found, [
      {
        id: 'central',
        url: 'https://mirror.example/m2/',
        authorization: `Basic ${Buffer.from('ann:pw').toString('base64')}`,
      },
    ])
  })

  it('refuse passwords that only Maven can read', async () => {
    const settings = `<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>https://m.example</url></mirror></mirrors>
      <servers><server><id>m</id><username>a</username><password>{abc=}</password></server></servers></settings>`
    await assert.rejects(repositories(settings), { code: 'SOURCE_MAVEN_PASSWORD_LOCKED' })
  })

  it('leave the address of central to Maven itself', async () => {
    assert.equal(centralIn(await superPom()), 'https://default.example/maven2')
  })
})

describe('XML', () => {
  for (const [what, text] of [
    ['no document', ''],
    ['text only', 'hello'],
    ['an element that is not closed', '<a><b></b>'],
    ['crossed elements', '<a><b></a></b>'],
    ['two roots', '<a/><b/>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['a broken tag', '<a><</a>'],
    ['endless depth', '<a>'.repeat(100) + '</a>'.repeat(100)],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => parseXml(text ?? '', 'a.xml'), { code: 'XML_MALFORMED' }))
  }

  it('reads large documents in linear time', () => {
    const text = `<a>${'<b x="1">&lt;</b>'.repeat(100_000)}</a>`
    assert.equal(parseXml(text, 'a.xml').children.length, 100_000)
    assert.throws(() => parseXml(`<a ${'x=" '.repeat(100_000)}`, 'a.xml'), { code: 'XML_MALFORMED' })
  })
})
