import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parsePort } from './ports.ts'
import { parseMemory, parseNetwork, parseVolume } from './settings.ts'

describe('what a run is told', () => {
  it('sizes of memory, in powers of 1024', () => {
    const expected = {
      '512m': 2 ** 29,
      '512M': 2 ** 29,
      '512Mi': 2 ** 29,
      '512MiB': 2 ** 29,
      '1.5g': 1.5 * 2 ** 30,
      '16777216': 2 ** 24,
      '8388608b': 2 ** 23,
    }
    for (const [text, bytes] of Object.entries(expected)) assert.equal(parseMemory(text), bytes, text)
    for (const text of ['', '1k', 'm', '-1g', '1gg', '0x10m', '1e9', '99999999999t', '512 m m'])
      assert.throws(() => parseMemory(text), { code: 'RUN_MEMORY_INVALID' }, text)
  })

  it('ports, with an address or without', () => {
    assert.deepEqual(parsePort('8080:80'), { address: undefined, host: 8080, container: 80 })
    assert.deepEqual(parsePort('127.0.0.1:1:65535/tcp'), { address: '127.0.0.1', host: 1, container: 65_535 })
    assert.deepEqual(parsePort('[::1]:80:80').address, '::1')
    for (const text of [
      '',
      '80',
      ':80',
      '80:',
      '0:80',
      '80:65536',
      '80:80/udp',
      'host.example:80:80',
      '1:2:3:4',
    ])
      assert.throws(() => parsePort(text), { code: 'RUN_PORT_INVALID' }, text)
  })

  it('networks', () => {
    assert.equal(parseNetwork(undefined), 'host')
    assert.equal(parseNetwork('none'), 'none')
    assert.throws(() => parseNetwork('bridge'), { code: 'RUN_NETWORK_UNKNOWN' })
  })

  it('directories to mount', async () => {
    const place = realpathSync(mkdtempSync(join(tmpdir(), 'volume-')))
    try {
      assert.deepEqual(await parseVolume('.:/data/', place), { mode: 'rw', host: place, inside: '/data' })
      assert.deepEqual(await parseVolume(`${place}:/a//b:ro`, '/'), {
        mode: 'ro',
        host: place,
        inside: '/a/b',
      })
      for (const text of ['', '.', '.:data', 'missing:/x', ':/x'])
        await assert.rejects(parseVolume(text, place), { code: 'RUN_VOLUME_INVALID' }, text)
    } finally {
      rmSync(place, { recursive: true })
    }
  })
})
