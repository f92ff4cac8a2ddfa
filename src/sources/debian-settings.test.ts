import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { readDebianMirrors } from './debian-settings.ts'

async function mirrorsOf(files: Readonly<Record<string, string>>, environment: Record<string, string> = {}) {
  await using place = await temporaryDirectory(tmpdir(), 'apt-test-')
  await mkdir(join(place.path, 'sources.list.d'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(place.path, name), text)
  const { main, security, snapshots } = await readDebianMirrors(environment, place.path)
  return { main, security, snapshots }
}

describe("apt's sources", () => {
  it('give hosts in both forms, each once, and no suites', async () => {
    const found = await mirrorsOf({
      'sources.list': [
        '# deb http://never.example/debian bookworm main',
        'deb [signed-by=/x.gpg arch=amd64] http://one.example/debian bookworm main contrib',
        'deb http://one.example/debian bookworm-updates main',
        'deb-src http://sources.example/debian bookworm main',
        'deb http://safe.example/debian-security bookworm-security main',
      ].join('\n'),
      'sources.list.d/more.sources': [
        'Types: deb deb-src',
        'URIs: https://two.example/debian/',
        '# a remark within a stanza',
        'Suites: trixie trixie-updates',
        'Components: main',
        '',
        'Types: deb',
        'URIs: https://off.example/debian/',
        'Suites: trixie',
        'Enabled: no',
      ].join('\n'),
    })
    assert.deepEqual(found, {
      main: ['http://one.example/debian/', 'https://two.example/debian/'],
      security: ['http://safe.example/debian-security/'],
      snapshots: [],
    })
  })

  it('of vendors and of other distributions do not count', async () => {
    const found = await mirrorsOf({
      'sources.list': 'deb http://archive.example/ubuntu noble main\n',
      'sources.list.d/vendor.list': 'deb https://vendor.example/apt vendor-sdk-bookworm main\n',
      'sources.list.d/flat.sources': 'Types: deb\nURIs: https://flat.example/\nSuites: nodistro\n',
      'sources.list.d/disk.list': 'deb file:/srv/debian bookworm main\ndeb cdrom:[x]/ bookworm main\n',
    })
    assert.deepEqual(found, { main: [], security: [], snapshots: [] })
  })

  it('without a security archive: it is looked for beside the main one', async () => {
    const found = await mirrorsOf({ 'sources.list': 'deb http://one.example/debian trixie main\n' })
    assert.deepEqual(found.security, ['http://one.example/debian-security/'])
  })

  it('count for main and security where one source has both', async () => {
    const both = 'Types: deb\nURIs: http://all.example/debian\nSuites: trixie trixie-security\n'
    const found = await mirrorsOf({ 'sources.list.d/all.sources': both })
    assert.deepEqual(
      [found.main, found.security],
      [['http://all.example/debian/'], ['http://all.example/debian/']],
    )
  })

  it('give way to the environment', async () => {
    const files = { 'sources.list': 'deb http://one.example/debian trixie main\n' }
    const environment = {
      SLIPWAY_APT_MIRROR: 'https://ours.example/mirror/debian',
      SLIPWAY_SNAPSHOT_MIRROR: 'https://old.example/a/ https://old.example/b',
    }
    assert.deepEqual(await mirrorsOf(files, environment), {
      main: ['https://ours.example/mirror/debian/'],
      security: ['https://ours.example/mirror/debian-security/'],
      snapshots: ['https://old.example/a/', 'https://old.example/b/'],
    })
  })

  it('refuse what is no http URL, and do not show its password', async () => {
    await assert.rejects(
      mirrorsOf({}, { SLIPWAY_APT_MIRROR: 'ftp://me:secret@old.example/debian' }),
      error => {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'DEBIAN_MIRROR_INVALID')
        assert.doesNotMatch(error.message, /secret/)
        return true
      },
    )
  })
})
