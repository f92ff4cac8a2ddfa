import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proxyFor } from './proxy.ts'

const PROXY = 'http://proxy.example:3128/'
const asked = (url: string, no_proxy = '', more: Record<string, string> = {}) =>
  proxyFor(new URL(url), { https_proxy: PROXY, http_proxy: 'http://plain.example', no_proxy, ...more })?.href

describe('proxyFor', () => {
  it('takes the proxy of the scheme, in lower or upper case, or that for all', () => {
    assert.equal(asked('https://a.example/'), PROXY)
    assert.equal(asked('http://a.example/'), 'http://plain.example/')
    assert.equal(
      proxyFor(new URL('https://a.example'), { HTTPS_PROXY: 'proxy.example:1' })?.href,
      'http://proxy.example:1/',
    )
    assert.equal(proxyFor(new URL('https://a.example'), { all_proxy: PROXY })?.href, PROXY)
    assert.equal(proxyFor(new URL('https://a.example'), {}), undefined)
    assert.equal(
      proxyFor(new URL('http://a.example'), { HTTP_PROXY: PROXY, REQUEST_METHOD: 'GET' }),
      undefined,
    )
  })

  it('never sends to a proxy what stays on this machine', () => {
    for (const host of ['localhost', 'x.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]'])
      assert.equal(asked(`https://${host}:5000/`), undefined, host)
  })

  const LEFT_OUT: [url: string, list: string, left: boolean][] = [
    ['https://a.example/', 'a.example', true],
    ['https://b.a.example/', 'a.example', true],
    ['https://ba.example/', 'a.example', false],
    ['https://b.a.example/', '.a.example', true],
    ['https://a.example/', '.a.example', false],
    ['https://b.a.example/', '*.a.example', true],
    ['https://a.example/', 'x.example, a.example', true],
    ['https://A.EXAMPLE./', 'a.Example', true],
    ['https://a.example:5000/', 'a.example:5000', true],
    ['https://a.example:5001/', 'a.example:5000', false],
    ['https://a.example/', 'a.example:443', true],
    ['https://a.example/', '*', true],
    ['https://10.1.2.3/', '10.0.0.0/8', true],
    ['https://11.1.2.3/', '10.0.0.0/8', false],
    ['https://[::ffff:10.1.2.3]/', '10.0.0.0/8', true],
    ['https://10.1.2.3/', '10.1.2.3', true],
    ['https://[fe80::1]/', 'fe80::1', true],
    ['https://[fe80::1]:5000/', '[fe80::1]:5000', true],
    ['https://a.example/', '', false],
    ['https://a.example/', ',, ,', false],
    ['https://10.1.2.3/', '10.0.0.0/99', false],
  ]
  for (const [url, list, left] of LEFT_OUT)
    it(`${left ? 'leaves' : 'does not leave'} out ${url} for ${JSON.stringify(list)}`, () =>
      assert.equal(asked(url, list), left ? undefined : PROXY))
})
