import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseBuildpack, parseOrder } from '#cnb'
import { temporaryDirectory } from '#std'
import { buildpackNames, bundleBuildpacks, packageBuildpack } from './buildpacks.ts'

/** What may be in a buildpack besides our own code: every build of every user starts it. */
const PACKAGES = ['packageurl-js', 'smol-toml', 'valibot']

describe('bundled buildpacks', () => {
  it('lie where a lifecycle looks for them, small, with descriptors that hold and an order of them all', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const outdir = join(directory.path, 'buildpacks')
    assert.deepEqual(await bundleBuildpacks(outdir), PACKAGES)
    const { version } = JSON.parse(await readFile('package.json', 'utf8'))
    const names = await buildpackNames()
    for (const name of names) {
      const place = join(outdir, `slipway_${name}`, version)
      const file = join(place, 'buildpack.toml')
      const descriptor = parseBuildpack(await readFile(file, 'utf8'), file)
      assert.deepEqual([descriptor.id, descriptor.version], [`slipway/${name}`, version])
      for (const phase of ['detect', 'build'])
        assert.equal((await stat(join(place, 'bin', phase))).mode & 0o777, 0o755)
      assert.ok((await stat(join(place, 'main.cjs'))).size < 250_000, `${name} became large`)
    }
    const { order } = parseOrder(await readFile(join(outdir, 'order.toml'), 'utf8'), 'order.toml')
    const ordered = new Set(order.flat().map(({ id }) => id.replace('slipway/', '')))
    assert.deepEqual([...ordered].sort(), names)
    assert.ok(order.every(group => group.some(({ optional }) => !optional)))
  })

  it('carry a resolver and a launcher of their own when they are packaged', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const launcher = join(directory.path, 'launcher')
    await writeFile(launcher, 'program')
    const outdir = join(directory.path, 'jdk')
    await packageBuildpack('jdk', outdir, { launchers: { arm64: launcher } })
    const files = ['bin', 'buildpack.toml', 'helper', 'main.cjs', 'resolver.mjs', 'unxz-worker.mjs']
    assert.deepEqual((await readdir(outdir)).sort(), files)
    assert.equal((await stat(join(outdir, 'helper/launcher-arm64'))).mode & 0o777, 0o755)
    const resolver = await import(join(outdir, 'resolver.mjs'))
    assert.equal(typeof resolver.resolve, 'function')
  })
})
