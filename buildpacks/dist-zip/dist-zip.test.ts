import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { names, processOf, workbench, writeTree, zipOf } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'

const buildpack = 'dist-zip'
const PLAN = ['jvm-application', 'jvm-application-package']
const distribution = {
  'shop-1/bin/shop': '#!/bin/sh\n',
  'shop-1/bin/shop.bat': '',
  'shop-1/lib/shop-1.jar': zipOf({}),
}

describe('dist-zip', () => {
  it('provides the package where a distribution is there, unpacked or not', async () => {
    for (const files of [distribution, { 'shop-1.zip': zipOf(distribution) }]) {
      await using bench = await workbench({ buildpack, files })
      assert.deepEqual(names(await bench.detect(detect), 'provides'), PLAN)
    }
  })

  it('does not take source, other archives and damaged ones for a distribution', async () => {
    for (const files of [
      { 'bin/deploy': '', 'lib/x.rb': '' },
      { 'data.zip': zipOf({ 'bin/x': '' }) },
      { 'data.zip': 'damaged' },
      { 'data.tar': '', 'more.txt': '' },
    ] as const) {
      await using bench = await workbench({ buildpack, files })
      assert.deepEqual(names(await bench.detect(detect), 'provides'), ['jvm-application'])
    }
  })

  it('starts the only script that is not for Windows, and makes it a program', async () => {
    await using bench = await workbench({ buildpack, files: distribution })
    await bench.build(build, PLAN)
    const script = join(bench.application, 'shop-1/bin/shop')
    assert.deepEqual(processOf(bench.table('launch.toml'), 'web')?.command, [script])
    assert.equal(statSync(script).mode & 0o777, 0o755)
    assert.match(bench.file('launch.sbom.cdx.json'), /"shop"/)
  })

  it('unpacks a zip file', async () => {
    await using bench = await workbench({ buildpack, files: { 'shop-1.zip': zipOf(distribution) } })
    assert.match(await bench.build(build, PLAN), /Unpacked shop-1\.zip\n +Start script shop-1\/bin\/shop/)
    assert.ok(!existsSync(join(bench.application, 'shop-1.zip')))
  })

  it('unpacks a tar file that is all there is', async () => {
    await using bench = await workbench({ buildpack, files: {}, environment: { PATH: '/usr/bin:/bin' } })
    writeTree(join(bench.layers, '../tree'), distribution)
    execFileSync('tar', [
      '-czf',
      join(bench.application, 'shop.tar.gz'),
      '-C',
      join(bench.layers, '../tree'),
      '.',
    ])
    assert.deepEqual(names(await bench.detect(detect), 'provides'), PLAN)
    await bench.build(build, PLAN)
    assert.ok(existsSync(join(bench.application, 'shop-1/lib/shop-1.jar')))
  })

  it('refuses to choose between scripts, and takes the one that is named', async () => {
    const files = { ...distribution, 'shop-1/bin/tool': '' }
    await using bench = await workbench({ buildpack, files })
    await assert.rejects(bench.build(build, PLAN), {
      code: 'SCRIPTS_AMBIGUOUS',
      why: /bin\/shop, .*bin\/tool/,
    })
    const environment = { BP_APPLICATION_SCRIPT: '*/bin/tool' }
    await using other = await workbench({ buildpack, files, environment })
    await other.build(build, PLAN)
    assert.match(String(processOf(other.table('launch.toml'), 'web')?.command), /bin\/tool$/)
  })

  it('says that nothing tells how the application starts', async () => {
    await using bench = await workbench({ buildpack, files: { 'a.txt': '' } })
    assert.match(await bench.build(build, PLAN), /WARNING: nothing says how the application starts/)
    assert.deepEqual(names({ provides: bench.table('build.toml')?.unmet }, 'provides'), PLAN)
  })

  it('says nothing where another buildpack has taken care of the application', async () => {
    await using bench = await workbench({ buildpack, files: distribution })
    assert.equal(await bench.build(build, []), '')
  })
})
