import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { fittingRunImage } from './fitting-run-image.ts'

describe('the run image of an app that names none', () => {
  const of = async (names: readonly string[], variables: Record<string, string> = {}, ignored = '') => {
    await using place = await temporaryDirectory(tmpdir(), 'run-image-')
    for (const name of names) await writeFile(join(place.path, name), '')
    return await fittingRunImage(place.path, path => path.toString() === ignored, variables)
  }

  it('is the smallest one for Go modules', async () => {
    assert.equal(await of(['go.mod', 'package.json']), 'slipway/run:static')
    assert.equal(await of(['go.work'], { CGO_ENABLED: '0', GOFLAGS: '-tags=x' }), 'slipway/run:static')
  })

  it('is the usual one for everything else, and where a program may need more', async () => {
    assert.equal(await of(['pom.xml']), undefined)
    assert.equal(await of(['go.mod', 'Procfile']), undefined)
    assert.equal(await of(['go.mod'], {}, 'go.mod'), undefined)
    assert.equal(await of(['go.mod'], { CGO_ENABLED: '1' }), undefined)
    assert.equal(await of(['go.mod'], { BP_GO_BUILD_FLAGS: '-buildmode=pie' }), undefined)
    assert.equal(await of(['go.mod'], { BP_GO_BUILD_LDFLAGS: '-linkmode external' }), undefined)
  })
})
