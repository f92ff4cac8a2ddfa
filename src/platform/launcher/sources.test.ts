import assert from 'node:assert/strict'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { removeTree } from '#std'
import { launcherPlaces } from './launcher.ts'
import { readLauncherSources } from './sources.ts'

const PIN = JSON.stringify({ version: '1.0.0', go: '1.26.8', toolchains: { amd64: 'h1:a', arm64: 'h1:b' } })

describe('readLauncherSources', () => {
  const given = async (files: Record<string, string>) => {
    const directory = await mkdtemp(join(tmpdir(), 'launcher-sources-'))
    for (const [name, text] of Object.entries({ 'launcher.json': PIN, 'go.mod': 'module x', ...files })) {
      await mkdir(join(directory, name, '..'), { recursive: true })
      await writeFile(join(directory, name), text)
    }
    return { directory, [Symbol.asyncDispose]: () => removeTree(directory) }
  }
  const digestWith = async (files: Record<string, string>) => {
    await using place = await given(files)
    return (await readLauncherSources(place.directory)).digest
  }

  it('changes with what makes the binary, and with nothing else', async () => {
    const before = await digestWith({ 'main.go': 'a', 'internal/x/x.go': 'b' })
    const more = { 'main_test.go': 'c', 'README.md': 'd', 'internal/x/testdata/t': 'e', 'x.gold': 'f' }
    assert.equal(await digestWith({ 'main.go': 'a', 'internal/x/x.go': 'b', ...more }), before)
    for (const changed of [
      { 'main.go': 'z', 'internal/x/x.go': 'b' },
      { 'main.go': 'a', 'internal/y/x.go': 'b' },
      { 'main.go': 'a', 'internal/x/x.go': 'b', 'launcher.json': PIN.replace('1.26.8', '1.26.9') },
      { 'main.go': 'a', 'internal/x/x.go': 'b', 'go.mod': 'module y' },
    ]) {
      assert.notEqual(await digestWith(changed), before)
    }
  })

  it('names the file whose pin is not understood', async () => {
    for (const bad of ['{', '{}', PIN.replace('1.26.8', 'latest'), PIN.replace('"arm64"', '"riscv"')]) {
      await using place = await given({ 'launcher.json': bad })
      await assert.rejects(readLauncherSources(place.directory), /launcher\.json/)
    }
  })
})

describe('launcherPlaces', () => {
  it('finds the sources of this checkout', async () => {
    const { pin } = await readLauncherSources(launcherPlaces().sources ?? '')
    assert.match(pin.go, /^1\.\d+\.\d+$/)
  })

  it('tells a directory of sources from one of binaries', async () => {
    const root = await mkdtemp(join(tmpdir(), 'launcher-places-'))
    for (const name of ['launcher/go.mod', 'dist/launcher/bundle.json', 'dist/cli/x']) {
      await mkdir(join(root, name, '..'), { recursive: true })
      await writeFile(join(root, name), '')
    }
    assert.deepEqual(launcherPlaces(join(root, 'dist/cli')), {
      sources: join(root, 'launcher'),
      bundle: join(root, 'dist/launcher'),
    })
    assert.deepEqual(launcherPlaces(join(root, 'launcher')), {
      sources: join(root, 'launcher'),
      bundle: undefined,
    })
    await removeTree(root)
  })
})
