import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { NO_METADATA, parseAnalyzed } from '#cnb'
import { emptyImage, type StoredImage } from '#oci'
import { digestOf } from '#std'
import { analyze, runTarget } from './analyze.ts'
import { openWorkshop } from './shell-buildpacks.testing.ts'

const digest = digestOf('')
const image = (labels: Record<string, string>): StoredImage => {
  const empty = emptyImage('linux', 'amd64')
  const config = { ...empty.config, config: { Labels: labels } }
  return { ...empty, config, digest, manifestSize: 0, configDigest: digest, configSize: 0 }
}
const LABEL = 'io.buildpacks.lifecycle.metadata'
const run = {
  image: image({
    'io.buildpacks.base.id': 'slipway/base',
    'io.buildpacks.base.distro.name': 'debian',
    'io.buildpacks.base.distro.version': '13',
  }),
  reference: `run@${digest}`,
  name: 'run:base',
}

describe('analyze', () => {
  it('finds what an earlier build left and what the run image is, and writes it down', async () => {
    await using shop = await openWorkshop()
    const label = '{"buildpacks":[{"key":"a/b","version":"1","layers":{"x":{"sha":"s","launch":true}}}]}'
    const previous = { image: image({ [LABEL]: label }), reference: `app@${digest}` }
    const analyzed = await analyze({ ...shop, previous, run })
    assert.equal(analyzed.metadata.buildpacks[0]?.layers.get('x')?.sha, 's')
    assert.deepEqual(analyzed.runImage, {
      reference: `run@${digest}`,
      image: 'run:base',
      target: { id: 'slipway/base', os: 'linux', arch: 'amd64', distro: { name: 'debian', version: '13' } },
    })
    const written = parseAnalyzed(await readFile(join(shop.places.layers.host, 'analyzed.toml'), 'utf8'), 'x')
    assert.equal(written.previousImage, `app@${digest}`)
    assert.deepEqual(written.runImage, analyzed.runImage)
  })

  it('takes no image, one without a label and one whose label is broken for no earlier build', async () => {
    await using shop = await openWorkshop()
    assert.deepEqual((await analyze({ ...shop, run })).metadata, NO_METADATA)
    const plain = { image: image({}), reference: 'app' }
    assert.deepEqual((await analyze({ ...shop, run, previous: plain })).metadata, NO_METADATA)
    assert.ok(shop.report.lines.every(line => !line.startsWith('Warning')))
    const broken = { image: image({ [LABEL]: '{"buildpacks":[{}]}' }), reference: 'app' }
    assert.deepEqual((await analyze({ ...shop, run, previous: broken })).metadata, NO_METADATA)
    assert.match(shop.report.lines.join('\n'), /Warning: .*buildpacks/)
  })

  it('refuses a run image that is for no system', () => {
    assert.throws(() => runTarget({ ...run.image.config, os: '' }, 'x'), {
      code: 'RUN_IMAGE_UNUSABLE',
      exitCode: 32,
    })
  })
})
