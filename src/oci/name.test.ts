import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namedBy, parseName, parseRefName, shortName } from './name.ts'

describe('parseName', () => {
  it('adds the tag that is meant where none is given', () => {
    assert.equal(parseName('shop'), 'shop:latest')
    assert.equal(parseName('team/shop'), 'team/shop:latest')
    assert.equal(parseName('localhost:5000/shop'), 'localhost:5000/shop:latest')
    assert.equal(parseName('registry.example/team/shop:1.2'), 'registry.example/team/shop:1.2')
    assert.equal(shortName('team/shop:latest'), 'team/shop')
    assert.equal(shortName('team/shop:1'), 'team/shop:1')
  })

  it('refuses what no registry would take, with exit code 3', () => {
    const wrong = [
      '',
      'Shop',
      'shop:',
      'shop:a b',
      'shop:.x',
      `shop:${'x'.repeat(129)}`,
      '/shop',
      'team//shop',
      '../shop',
      'shop\u001b[2J',
      'shop@sha256:0',
      `sha256:${'a'.repeat(64)}`,
      'x'.repeat(256),
      '-host.example/shop',
    ]
    for (const name of wrong)
      assert.throws(() => parseName(name), { code: 'NAME_INVALID', exitCode: 3 }, name)
  })
})

describe('namedBy', () => {
  it('is the name, if the reference has one', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    assert.equal(namedBy('shop'), 'shop:latest')
    assert.equal(namedBy(`team/shop:1@${digest}`), 'team/shop:1')
    assert.equal(namedBy(digest), undefined)
    for (const wrong of ['shop@sha256:0', `@${digest}`, `Shop@${digest}`])
      assert.throws(() => namedBy(wrong), { code: 'NAME_INVALID' }, wrong)
  })
})

describe('parseRefName', () => {
  it('keeps names as other tools write them', () => {
    for (const name of ['latest', '1.2', 'V1', 'docker.io/library/shop:1.2', 'a--b'])
      assert.equal(parseRefName(name), name)
  })

  it('refuses what the image specification does not allow', () => {
    for (const name of ['', '-x', 'a/', 'a//b', 'a b', '../a', 'x'.repeat(513)]) {
      assert.throws(() => parseRefName(name), { code: 'NAME_INVALID' }, name)
    }
  })
})
