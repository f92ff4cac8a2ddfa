import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { nearestFirst } from '../images/registry-image.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { parseCreationTime } from './created.ts'
import { parseOutput } from './output.ts'
import { parsePlatform } from './platform.ts'
import { parseBuildVolumes } from './volumes.ts'

describe('parseOutput', () => {
  it('reads the places that a build can put its image to', () => {
    assert.deepEqual(parseOutput(undefined, false, '/w'), { kind: 'store' })
    assert.deepEqual(parseOutput(undefined, true, '/w'), { kind: 'registry' })
    assert.deepEqual(parseOutput('docker-daemon', false, '/w'), { kind: 'daemon' })
    assert.deepEqual(parseOutput('oci:a:1', false, '/w'), { kind: 'oci', directory: '/w/a', tag: '1' })
    assert.deepEqual(parseOutput('docker-archive:a', false, '/w'), { kind: 'docker-archive', file: '/w/a' })
    for (const text of ['x', 'docker://x/y', 'docker-archive:a:name', 'docker-daemon:name', ''])
      assert.throws(() => parseOutput(text, false, '/w'), { code: 'OUTPUT_INVALID', exitCode: 2 }, text)
    assert.throws(() => parseOutput('oci:a', true, '/w'), { code: 'OUTPUT_INVALID' })
  })
})

describe('parsePlatform', () => {
  it('takes that of this machine, with any variant, and no other', () => {
    const architecture = machineArchitecture()
    assert.deepEqual(parsePlatform(`linux/${architecture}`), { os: 'linux', architecture })
    assert.deepEqual(parsePlatform(`linux/${architecture}/v8`), { os: 'linux', architecture, variant: 'v8' })
    assert.throws(() => parsePlatform('linux/s390x'), { code: 'PLATFORM_OTHER', exitCode: 3 })
    assert.throws(() => parsePlatform(`windows/${architecture}`), { code: 'PLATFORM_OTHER' })
    for (const text of ['linux', 'linux/', '/amd64', 'linux/amd64/v1/x', 'Linux/amd64'])
      assert.throws(() => parsePlatform(text), { code: 'PLATFORM_INVALID', exitCode: 2 }, text)
  })
})

describe('parseCreationTime', () => {
  it('takes seconds, or now', () => {
    assert.equal(parseCreationTime('1641013200', Date.now), 1641013200)
    assert.equal(
      parseCreationTime('now', () => 5999),
      5,
    )
    assert.equal(parseCreationTime(undefined, Date.now), undefined)
    for (const text of ['-1', '1.5', 'today', '1e9', '9'.repeat(12)])
      assert.throws(() => parseCreationTime(text, Date.now), { code: 'CREATION_TIME_INVALID' }, text)
  })
})

describe('parseBuildVolumes', () => {
  const place = realpathSync(tmpdir())

  it('mounts read-only unless told otherwise, and makes bindings of what goes to their place', async () => {
    const { mounts, bindings } = await parseBuildVolumes(
      [`${place}:/data`, `${place}:/more/:rw`, `${place}:/platform/bindings/maven`],
      '/',
    )
    assert.deepEqual(mounts, [
      { mode: 'ro', host: place, inside: '/data' },
      { mode: 'rw', host: place, inside: '/more' },
    ])
    assert.deepEqual(bindings, [{ name: 'maven', directory: place }])
  })

  it('refuses what belongs to the build, however it is spelled', async () => {
    for (const target of [
      '/cnb',
      '/cnb/buildpacks',
      '/layers/',
      '/workspace/x',
      '/a/../cnb',
      '//layers',
      '/',
      '/proc/1',
    ])
      await assert.rejects(
        parseBuildVolumes([`${place}:${target}`], '/'),
        { code: 'VOLUME_REFUSED', exitCode: 3 },
        target,
      )
    await assert.rejects(parseBuildVolumes([`${place}:/platform/bindings/a/b`], '/'), {
      code: 'VOLUME_REFUSED',
    })
    await assert.rejects(parseBuildVolumes(['/nowhere/at/all:/x'], '/'), { code: 'RUN_VOLUME_INVALID' })
    await assert.rejects(parseBuildVolumes([`${place}:relative`], '/'), { code: 'RUN_VOLUME_INVALID' })
    assert.deepEqual((await parseBuildVolumes([`${place}:/workspaces`], '/')).mounts.length, 1)
  })
})

describe('nearestFirst', () => {
  it('puts copies of one registry before all others and keeps the order', () => {
    const names = ['a/b', 'one.example/x', 'two.example/x', 'One.example/y', '?']
    assert.deepEqual(nearestFirst(names, 'one.example'), [
      'one.example/x',
      'One.example/y',
      'a/b',
      'two.example/x',
      '?',
    ])
    assert.deepEqual(nearestFirst(names, undefined), names)
  })
})
