import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '#std'
import { parseReference, parseRegistry, printReference, withTag } from './reference.ts'

const digest = digestOf('x')

describe('parseReference', () => {
  const TABLE: Record<string, string> = {
    debian: 'index.docker.io/library/debian',
    'debian:trixie': 'index.docker.io/library/debian:trixie',
    'team/shop': 'index.docker.io/team/shop',
    'docker.io/debian': 'index.docker.io/library/debian',
    'registry-1.docker.io/team/shop:1': 'index.docker.io/team/shop:1',
    'ghcr.io/team/shop': 'ghcr.io/team/shop',
    'GHCR.io/team/shop': 'ghcr.io/team/shop',
    'localhost/shop': 'localhost/shop',
    'localhost:5000/shop:1': 'localhost:5000/shop:1',
    '127.0.0.1:5000/a/b/c': '127.0.0.1:5000/a/b/c',
    '[::1]:5000/shop': '[::1]:5000/shop',
    'shop:5000': 'index.docker.io/library/shop:5000',
    [`ghcr.io/shop@${digest}`]: `ghcr.io/shop@${digest}`,
    [`ghcr.io/shop:1@${digest}`]: `ghcr.io/shop:1@${digest}`,
    'ghcr.io/a__b/c--d': 'ghcr.io/a__b/c--d',
  }
  for (const [text, full] of Object.entries(TABLE))
    it(`reads ${text}`, () => assert.equal(printReference(parseReference(text)), full))

  const REFUSED = [
    '',
    '/',
    'a//b',
    'Shop',
    'ghcr.io/Shop',
    'ghcr.io/',
    'shop:',
    'shop:a b',
    `shop:${'x'.repeat(129)}`,
    'shop@',
    'shop@sha256:12',
    `shop@${digest.toUpperCase()}`,
    `shop@md5:${'0'.repeat(32)}`,
    'a/../b',
    '../a',
    'ghcr.io/a/..',
    'x..y/a',
    'host:99999/a',
    'host:/a',
    'host:0x50/a',
    'ann:pw@host/a',
    'http://ghcr.io/a',
    'ghcr.io/a?x',
    'ghcr.io/a#x',
    'ghcr.io/a\n',
    'ghcr.io\\a',
    'ghcr.io%2fx/a',
    '[::1/a',
    '[::g]/a',
    'ghcr.io/-a',
    'ghcr.io/a-',
    `ghcr.io/${'a/'.repeat(200)}a`,
    'münchen.example/a',
    '.host/a',
    'host./a',
  ]
  for (const text of REFUSED)
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () =>
      assert.throws(() => parseReference(text), { code: 'REFERENCE_INVALID', exitCode: 3 }))

  it('reads what it prints, and throws nothing but a Problem', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,4})?$/)
    const host = fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,4}(?::[1-9][0-9]{0,3})?$/)
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined })
    fc.assert(
      fc.property(
        host,
        fc.array(part, { minLength: 1, maxLength: 4 }),
        tag,
        fc.boolean(),
        (registry, parts, named, pinned) => {
          const text = `${registry}/${parts.join('/')}${named ? `:${named}` : ''}${pinned ? `@${digest}` : ''}`
          const reference = parseReference(text)
          assert.deepEqual(parseReference(printReference(reference)), reference)
        },
      ),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), text => {
        try {
          const reference = parseReference(text)
          assert.deepEqual(parseReference(printReference(reference)), reference)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'REFERENCE_INVALID')
        }
      }),
    )
  })

  it('adds latest where nothing else is named', () => {
    assert.equal(withTag(parseReference('shop')).tag, 'latest')
    assert.equal(withTag(parseReference(`shop@${digest}`)).tag, undefined)
  })
})

it('parseRegistry takes hosts alone', () => {
  assert.equal(parseRegistry('docker.io'), 'index.docker.io')
  for (const text of ['ghcr.io/team', 'https://ghcr.io', 'a b', ''])
    assert.throws(() => parseRegistry(text), { code: 'REFERENCE_INVALID' })
})
