import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#std'
import { append, configure, historyPerLayer, label, withLayers } from './edit.ts'
import { emptyImage, type Image, type Layer } from './image.ts'
import { OCI } from './media-types.ts'
import { rebaseLayers } from './rebase.ts'

function layer(name: string): Layer {
  const open = () => Promise.reject(new Error('not needed here'))
  const blob = { mediaType: OCI.layer, digest: digestOf(`${name} packed`), size: name.length }
  return { diffId: digestOf(name), blob, compressed: open, uncompressed: open }
}

function imageOf(...names: string[]): Image {
  return append(
    emptyImage('linux', 'amd64'),
    names.map(name => ({ layer: layer(name), history: { created_by: name } })),
  )
}

function namesOf(image: Image) {
  return { layers: image.config.rootfs.diff_ids, history: image.config.history?.map(each => each.created_by) }
}

describe('append', () => {
  it('adds layers, diffIDs and history together and leaves the image it was given alone', () => {
    const one = imageOf('a')
    const two = append(one, [{ layer: layer('b'), history: { created_by: 'b' } }])
    assert.deepEqual(namesOf(two), { layers: [digestOf('a'), digestOf('b')], history: ['a', 'b'] })
    assert.deepEqual(namesOf(one), { layers: [digestOf('a')], history: ['a'] })
  })
})

describe('configure', () => {
  it('changes the settings that are named, removes those set to undefined, and keeps the others', () => {
    const image = configure(imageOf('a'), { User: '1:1', Cmd: ['x'], WorkingDir: '/w' })
    const changed = configure(image, { Cmd: undefined, User: '2:2' })
    assert.deepEqual(changed.config.config, { User: '2:2', WorkingDir: '/w' })
  })

  it('sets labels beside those that are there', () => {
    assert.deepEqual(label(label(imageOf('a'), { a: '1', b: '1' }), { b: '2' }).config.config?.Labels, {
      a: '1',
      b: '2',
    })
  })
})

describe('withLayers', () => {
  it('wants a line of history for each layer', () => {
    assert.throws(() => withLayers(imageOf('a'), [layer('b')], []), /1 layers have 0 lines/)
  })
})

describe('historyPerLayer', () => {
  it('leaves out lines about no layer, and makes blank ones where they do not match', () => {
    const image = imageOf('a', 'b')
    const withEmpty = {
      ...image,
      config: {
        ...image.config,
        history: [{ created_by: 'a' }, { created_by: 'ENV', empty_layer: true }, { created_by: 'b' }],
      },
    }
    assert.deepEqual(historyPerLayer(withEmpty), [{ created_by: 'a' }, { created_by: 'b' }])
    assert.deepEqual(historyPerLayer({ ...image, config: { ...image.config, history: [] } }), [{}, {}])
  })
})

describe('rebaseLayers', () => {
  const shop = imageOf('os 1', 'certificates 1', 'jre', 'shop')
  const newer = imageOf('os 2')

  it('takes every layer up to the top of the base from the new base, and keeps those above', () => {
    assert.deepEqual(
      namesOf(rebaseLayers(shop, digestOf('certificates 1'), newer)),
      namesOf(imageOf('os 2', 'jre', 'shop')),
    )
  })

  it('is undone by rebasing back', () => {
    const there = rebaseLayers(shop, digestOf('certificates 1'), newer)
    const back = rebaseLayers(there, digestOf('os 2'), imageOf('os 1', 'certificates 1'))
    assert.deepEqual(namesOf(back), namesOf(shop))
  })

  it('cuts at the first layer of that diffID', () => {
    const twice = imageOf('os 1', 'empty', 'app', 'empty')
    assert.deepEqual(namesOf(rebaseLayers(twice, digestOf('empty'), newer)).history, ['os 2', 'app', 'empty'])
  })

  it('loses no layer of an image without history', () => {
    const bare = { ...shop, config: { ...shop.config, history: [] } }
    assert.equal(rebaseLayers(bare, digestOf('os 1'), newer).layers.length, 4)
  })

  it('refuses an image that was built on something else, with the exit code of a rebase', () => {
    assert.throws(() => rebaseLayers(shop, digestOf('os 9'), newer), {
      code: 'OCI_NOT_BASED_ON',
      exitCode: 72,
      fix: /Rebuild/,
    })
  })
})
