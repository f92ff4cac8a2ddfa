import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  atLeast,
  BUILDPACK_APIS,
  compareApis,
  PLATFORM_APIS,
  parseBuildpackApi,
  parsePlatformApi,
} from './api-version.ts'

describe('API versions', () => {
  it('that are spoken are read, with or without v', () => {
    for (const api of PLATFORM_APIS) assert.equal(parsePlatformApi(`v${api}`), api)
    for (const api of BUILDPACK_APIS) assert.equal(parseBuildpackApi(api, 'x'), api)
    assert.equal(parsePlatformApi('0.015'), '0.15')
  })

  for (const text of [undefined, '', '0.11', '0.16', '1', '0', 'x', '0.15.1', ' 0.15']) {
    it(`${JSON.stringify(text)} is no Platform API`, () => {
      assert.throws(() => parsePlatformApi(text), { code: 'PLATFORM_API_UNSUPPORTED', exitCode: 11 })
    })
  }

  for (const text of ['', '0.6', '0.13', '1.0', 'zero']) {
    it(`${JSON.stringify(text)} is no Buildpack API`, () => {
      assert.throws(() => parseBuildpackApi(text, 'x'), { code: 'BUILDPACK_API_UNSUPPORTED', exitCode: 12 })
    })
  }

  it('compare as numbers', () => {
    assert.ok(compareApis('0.9', '0.10') < 0)
    assert.equal(compareApis('0.9', '0.9'), 0)
    assert.ok(atLeast('0.10', '0.9'))
    assert.ok(!atLeast('0.9', '0.10'))
  })
})
