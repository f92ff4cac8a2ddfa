import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Component, LAYER_PROPERTY } from './component.ts'
import { mergeBills } from './merge.ts'

const library = (name: string, more: Partial<Component> = {}): Component => ({
  type: 'library',
  name,
  version: '1',
  ...more,
})
const part = (name: string, ...components: Component[]) => ({ part: name, bill: { components } })
const shown = (components: readonly Component[]) =>
  components.map(each => `${each.properties?.[LAYER_PROPERTY]} ${each.name}`)

describe('mergeBills', () => {
  it('keeps parts in their order and sorts within each, so that the order of documents does not matter', () => {
    const one = mergeBills(
      [part('base', library('z'), library('A')), part('app', library('b'), library('a'))],
      {},
    )
    const two = mergeBills(
      [part('base', library('A')), part('base', library('z')), part('app', library('a'), library('b'))],
      {},
    )
    assert.deepEqual(shown(one.components), ['base A', 'base z', 'app a', 'app b'])
    assert.deepEqual(one, two)
  })

  it('lists a component of several documents once, with what any of them knows', () => {
    const first = library('a', { purl: 'pkg:npm/a@1', cpes: ['x'], hashes: { 'SHA-1': '1' } })
    const second = library('a', {
      purl: 'pkg:npm/a@1',
      cpes: ['y', 'x'],
      hashes: { 'SHA-256': '2' },
      licenses: ['MIT'],
    })
    const { components } = mergeBills([part('app', first), part('app', second)], {})
    assert.deepEqual(components, [
      {
        ...first,
        cpes: ['x', 'y'],
        hashes: { 'SHA-1': '1', 'SHA-256': '2' },
        licenses: ['MIT'],
        properties: { [LAYER_PROPERTY]: 'app' },
      },
    ])
  })

  it('lists the same component in two parts twice, and two versions of it twice', () => {
    const both = mergeBills(
      [part('x', library('a')), part('y', library('a'), library('a', { version: '2' }))],
      {},
    )
    assert.deepEqual(shown(both.components), ['x a', 'y a', 'y a'])
  })

  it('takes what a bill without components is about for its one component', () => {
    const about = { part: 'jre', bill: { subject: library('temurin'), components: [] } }
    assert.deepEqual(shown(mergeBills([about], {}).components), ['jre temurin'])
  })
})
