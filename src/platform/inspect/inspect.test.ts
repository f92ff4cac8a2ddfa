import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { append, configure, emptyImage, type LayoutStore, label } from '#oci'
import { layerTar, temporaryStore, writeAppImage } from '../images/app-image.testing.ts'
import { findImage } from '../images/find-image.ts'
import { inspectImage } from './inspect.ts'

const inspectNamed = async (store: LayoutStore, name: string) =>
  inspectImage(await findImage(store, name), name)

async function writePlain(store: LayoutStore, labels: Readonly<Record<string, string>> = {}) {
  const layer = await store.addLayer(() => layerTar({ a: '1' }))
  const image = append(emptyImage('linux', 'arm64'), [
    { layer, history: { created_by: '/bin/sh -c #(nop) ADD a' } },
  ])
  return store.write(label(configure(image, { Cmd: ['sh'] }), labels), ['plain'])
}

describe('inspectImage', () => {
  it('says what the labels of the reference lifecycle say', async () => {
    await using place = await temporaryStore()
    const image = await writeAppImage(place.store)
    const found = await inspectNamed(place.store, 'shop')
    assert.equal(found.digest, image.digest)
    assert.deepEqual(found.target, {
      os: 'linux',
      architecture: 'amd64',
      distribution: { name: 'debian', version: '13' },
    })
    assert.deepEqual(found.build, {
      stack: 'io.example.stack',
      base: { reference: `registry.example/run@sha256:${'8'.repeat(64)}`, topLayer: image.layers[0]?.diffId },
      runImages: ['registry.example/run:noble', 'mirror.example/run:noble'],
      rebasable: true,
      buildpacks: [{ id: 'acme/bp', version: '1.0.0', homepage: 'https://acme.example' }],
      extensions: [],
      processes: [
        {
          type: 'web',
          direct: true,
          command: ['run', 'one'],
          args: ['two'],
          workingDirectory: '/workspace',
          default: true,
          execEnv: [],
        },
        {
          type: 'task',
          direct: false,
          command: ['run'],
          args: [],
          workingDirectory: '/tmp',
          default: false,
          execEnv: [],
        },
      ],
    })
  })

  it('tells what each layer is for, also where an empty slice has the digest of another layer', async () => {
    await using place = await temporaryStore()
    await writeAppImage(place.store, { base: [{}, { a: '1' }] })
    const { layers } = await inspectNamed(place.store, 'shop')
    assert.deepEqual(
      layers.map(({ kind, name }) => (name ? `${kind} ${name}` : kind)),
      [
        'base',
        'base',
        'buildpack acme/bp:dep',
        'sbom',
        'app 1',
        'app 2',
        'launcher',
        'config',
        'process-types',
      ],
    )
    assert.match(layers[2]?.createdBy ?? '', /acme\/bp@1\.0\.0/)
  })

  it('finds the default process by the entrypoint, else by what an image without launcher starts', async () => {
    await using place = await temporaryStore()
    const defaultOf = async (...entrypoint: string[]) => {
      await writeAppImage(place.store, { entrypoint })
      const { build } = await inspectNamed(place.store, 'shop')
      return build?.processes.find(process => process.default)?.type
    }
    assert.equal(await defaultOf('/cnb/process/task'), 'task')
    assert.equal(await defaultOf('/cnb/lifecycle/launcher'), undefined)
    assert.equal(await defaultOf('run', 'one', 'two'), 'web')
  })

  it('shows an image that no buildpacks made, and one that is a base for them', async () => {
    await using place = await temporaryStore()
    await writePlain(place.store)
    const plain = await inspectNamed(place.store, 'plain')
    assert.deepEqual([plain.build, plain.baseId, plain.target.architecture], [undefined, undefined, 'arm64'])
    assert.deepEqual(
      plain.layers.map(({ kind, createdBy }) => [kind, createdBy]),
      [['unknown', '/bin/sh -c #(nop) ADD a']],
    )
    await writePlain(place.store, { 'io.buildpacks.stack.id': 'io.example.stack' })
    assert.equal((await inspectNamed(place.store, 'plain')).baseId, 'io.example.stack')
  })

  it('takes labels of old and of careless makers', async () => {
    await using place = await temporaryStore()
    const labels = {
      'io.buildpacks.lifecycle.metadata':
        '{"app":"sha256:x","runImage":{"topLayer":"gone"},"stack":{"runImage":{"image":"old"}}}',
      'io.buildpacks.build.metadata': '{"processes":[{"type":"web","command":"run it","args":null}]}',
      'io.buildpacks.rebasable': 'false',
      'io.buildpacks.exec-env': 'test',
    }
    await writePlain(place.store, labels)
    const { build, layers } = await inspectNamed(place.store, 'plain')
    assert.deepEqual(build?.runImages, ['old'])
    assert.deepEqual([build?.rebasable, build?.execEnv, build?.stack], [false, 'test', ''])
    assert.deepEqual(
      build?.processes.map(({ command, direct }) => [command, direct]),
      [[['run it'], false]],
    )
    assert.deepEqual(
      layers.map(({ kind }) => kind),
      ['unknown'],
    )
  })

  it('finds an image by its digest, whole or as lists shorten it', async () => {
    await using place = await temporaryStore()
    const { digest } = await writeAppImage(place.store)
    const hex = digest.slice('sha256:'.length)
    for (const wanted of [digest, hex, hex.slice(0, 12)]) {
      assert.equal((await inspectNamed(place.store, wanted)).digest, digest, wanted)
    }
    await assert.rejects(inspectNamed(place.store, hex.slice(0, 6)), { code: 'IMAGE_MISSING' })
  })

  it('fails in words where a label cannot be read or the image is not there', async () => {
    await using place = await temporaryStore()
    await writePlain(place.store, { 'io.buildpacks.build.metadata': '{' })
    await assert.rejects(inspectNamed(place.store, 'plain'), {
      code: 'JSON_MALFORMED',
      what: /io\.buildpacks\.build\.metadata/,
    })
    await writePlain(place.store, { 'io.buildpacks.build.metadata': '{"processes":7}' })
    await assert.rejects(inspectNamed(place.store, 'plain'), { code: 'DOCUMENT_INVALID' })
    await assert.rejects(inspectNamed(place.store, 'nothing'), { code: 'IMAGE_MISSING', exitCode: 3 })
  })
})
