import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BuildpackLayers, LayerRecord } from '#cnb'
import { layersToRestore } from './layers-to-restore.ts'

/** `launch cache @2`: flags, and a sha if it is not the usual one. */
const record = (text: string): LayerRecord => {
  const words = text.split(' ')
  const has = (word: string) => words.includes(word)
  const sha = words.find(word => word.startsWith('@')) ?? '@1'
  return { sha, launch: has('launch'), build: has('build'), cache: has('cache') }
}
const layers = (text: string | undefined): BuildpackLayers | undefined =>
  text === undefined ? undefined : { key: 'a/b', version: '1', layers: new Map([['x', record(text)]]) }

describe('layersToRestore', () => {
  const rows: [image: string | undefined, cache: string | undefined, api: '0.13' | '0.14', string][] = [
    [undefined, undefined, '0.14', 'nothing'],
    ['launch', undefined, '0.14', 'metadata from image'],
    ['launch', 'launch', '0.14', 'metadata from image'],
    ['launch build', undefined, '0.14', 'nothing'],
    ['launch cache', undefined, '0.14', 'nothing'],
    ['launch cache', 'launch cache', '0.14', 'data, metadata from image'],
    ['launch build cache', 'launch build cache', '0.14', 'data, metadata from image'],
    ['launch cache', 'launch cache @2', '0.14', 'stale, metadata from image'],
    ['launch', 'cache', '0.14', 'data, metadata from image'],
    ['launch', 'cache @2', '0.14', 'stale, metadata from image'],
    ['build', undefined, '0.14', 'nothing'],
    [undefined, 'cache', '0.13', 'data, metadata from cache'],
    [undefined, 'build cache', '0.13', 'data, metadata from cache'],
    [undefined, 'launch cache', '0.13', 'nothing'],
    [undefined, 'launch cache', '0.14', 'data, metadata from cache'],
    ['launch build', 'launch build cache', '0.14', 'nothing'],
    [undefined, 'launch', '0.14', 'nothing'],
  ]
  for (const [image, cache, api, expected] of rows) {
    it(`image ${image}, cache ${cache}, API ${api}: ${expected}`, () => {
      const [layer, ...more] = layersToRestore(layers(image), layers(cache), api)
      assert.deepEqual(more, [])
      const data = layer?.cached === 'stale' ? 'stale, ' : layer?.cached ? 'data, ' : ''
      assert.equal(layer ? `${data}metadata from ${layer.from}` : 'nothing', expected)
    })
  }
})
