import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { placeNamedBy, withParameter } from './addresses.ts'
import { parseChallenges } from './challenge.ts'

const named = (from: string, to: string) => placeNamedBy(new URL(from), to, 'it').href

describe('placeNamedBy', () => {
  it('resolves, and keeps credentials out', () => {
    assert.equal(named('https://r.example/v2/a', '/v2/b?x=1'), 'https://r.example/v2/b?x=1')
    assert.equal(named('https://r.example/v2/', 'https://ann:pw@cdn.example/x#y'), 'https://cdn.example/x')
  })

  it('takes the own address of a registry that calls itself by http', () => {
    assert.equal(
      named('https://r.example:5000/v2/', 'http://r.example/v2/u?s=%2B'),
      'https://r.example:5000/v2/u?s=%2B',
    )
  })

  const REFUSED = [
    'http://other.example/',
    'file:///etc/passwd',
    'gopher://x/',
    'javascript:1',
    'http://[',
    '//',
    'https://localhost/',
    'https://127.0.0.1:2375/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://0.0.0.0/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[fe80::1]/',
    'https://x.localhost/',
    `https://x.example/${'a'.repeat(20_000)}`,
  ]
  for (const to of REFUSED)
    it(`refuses ${to.slice(0, 60)}`, () =>
      assert.throws(() => named('https://r.example/v2/', to), { code: 'REGISTRY_ADDRESS' }))

  it('lets a registry of this machine lead to this machine', () => {
    assert.equal(named('http://127.0.0.1:5000/', 'http://127.0.0.1:5001/x'), 'http://127.0.0.1:5001/x')
  })

  it('adds a parameter, and touches nothing that is signed', () => {
    const url = new URL('https://r.example/u?_state=a%2Fb+c~&X=%20')
    assert.equal(
      withParameter(url, 'digest', 'sha256:0').href,
      'https://r.example/u?_state=a%2Fb+c~&X=%20&digest=sha256%3A0',
    )
    assert.equal(
      withParameter(new URL('https://r.example/u'), 'digest', 'x').href,
      'https://r.example/u?digest=x',
    )
  })
})

describe('parseChallenges', () => {
  it('reads one, several, quoted and bare', () => {
    assert.deepEqual(
      parseChallenges('Bearer realm="https://a/t",service="s, \\"x\\"",scope="repository:a/b:pull,push"'),
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://a/t', service: 's, "x"', scope: 'repository:a/b:pull,push' },
        },
      ],
    )
    assert.deepEqual(parseChallenges('Basic realm=x, BEARER Realm = "y" , a=b'), [
      { scheme: 'basic', parameters: { realm: 'x' } },
      { scheme: 'bearer', parameters: { realm: 'y', a: 'b' } },
    ])
    assert.deepEqual(
      parseChallenges('Negotiate, Basic realm="x"').map(({ scheme }) => scheme),
      ['negotiate', 'basic'],
    )
  })

  it('ends with what is malformed, in time', () => {
    for (const text of [
      '',
      ',,,',
      '"',
      'realm="x"',
      'Bearer realm="',
      `Bearer ${'a,'.repeat(100_000)}`,
      'Bearer ='.repeat(5000),
      '\\'.repeat(10_000),
    ])
      assert.ok(parseChallenges(text).length < 10_000)
  })
})
