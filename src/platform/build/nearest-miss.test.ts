import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { nearestMisses } from './nearest-miss.ts'

describe('nearestMisses', () => {
  it('finds the app one level down, and not what a build left behind', async () => {
    await using place = await temporaryDirectory(tmpdir(), 'miss-test-')
    await mkdir(join(place.path, 'api/target'), { recursive: true })
    await mkdir(join(place.path, 'deep/er'), { recursive: true })
    await writeFile(join(place.path, 'api/pom.xml'), '')
    await writeFile(join(place.path, 'api/target/app.jar'), '')
    await writeFile(join(place.path, 'deep/er/go.mod'), '')
    assert.deepEqual(await nearestMisses(place.path), [
      { file: 'pom.xml', directory: './api' },
      { file: 'go.mod', directory: './deep/er' },
    ])
  })

  it('is empty where there is nothing, even if the directory cannot be read', async () => {
    assert.deepEqual(await nearestMisses('/nowhere/at/all'), [])
  })
})
