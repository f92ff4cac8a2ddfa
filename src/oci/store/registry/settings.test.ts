import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import type { Descriptor } from '../../descriptor.ts'
import { choosePlatform } from './platform.ts'
import { parseRegistrySettings } from './settings.ts'

describe('parseRegistrySettings', () => {
  it('reads mirrors, hosts without TLS and token servers, each host by its one name', () => {
    const found = parseRegistrySettings(
      '[[registry]]\nhost = "docker.io"\nmirrors = ["mirror.example/hub/", "other.example:5000"]\n\n[[registry]]\nhost = "r.example:5000"\ninsecure = true\ntoken-server = ["t.example"]\n',
      'registries.toml',
    )
    assert.deepEqual(found.get('index.docker.io'), {
      insecure: false,
      mirrors: [
        { registry: 'mirror.example', path: 'hub/' },
        { registry: 'other.example:5000', path: '' },
      ],
      tokenServers: [],
    })
    assert.deepEqual(found.get('r.example:5000'), {
      insecure: true,
      mirrors: [],
      tokenServers: ['t.example'],
    })
  })

  const REFUSED: Record<string, string> = {
    'a host that is none': '[[registry]]\nhost = "https://r.example"',
    'a key that nobody knows': '[[registry]]\nhost = "r.example"\ninsecrue = true',
    'a mirror that leads away': '[[registry]]\nhost = "r.example"\nmirrors = ["m.example/../x"]',
    'no TOML': '[[registry',
  }
  for (const [name, text] of Object.entries(REFUSED))
    it(`refuses ${name}`, () =>
      assert.throws(() => parseRegistrySettings(text, 'registries.toml'), { name: 'Problem' }))
})

describe('choosePlatform', () => {
  const of = (architecture?: string, variant?: string): Descriptor => ({
    mediaType: 'x',
    digest: digestOf(`${architecture}${variant}`),
    size: 1,
    ...(architecture && { platform: { os: 'linux', architecture, ...(variant && { variant }) } }),
  })
  const wanted = { os: 'linux', architecture: 'arm64' }

  it('takes the first that fits, by variant where one is asked for', () => {
    const listed = [of('amd64'), of('arm64', 'v9'), of('arm64', 'v8')]
    assert.equal(choosePlatform(listed, wanted, 'x').platform?.variant, 'v9')
    assert.equal(choosePlatform(listed, { ...wanted, variant: 'v8' }, 'x').platform?.variant, 'v8')
    assert.equal(
      choosePlatform([of('arm64')], { ...wanted, variant: 'v8' }, 'x').platform?.variant,
      undefined,
    )
  })

  it('takes one of no platform only where it is alone', () => {
    assert.equal(choosePlatform([of()], wanted, 'x').digest, of().digest)
    assert.throws(() => choosePlatform([of(), of('amd64')], wanted, 'x'), { code: 'PLATFORM_MISSING' })
    assert.throws(() => choosePlatform([], wanted, 'x'), { code: 'PLATFORM_MISSING' })
  })
})
