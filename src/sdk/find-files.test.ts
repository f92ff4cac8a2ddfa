import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findFiles } from './find-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'find-files-'))
for (const path of [
  'a.jar',
  'b.war',
  '.hidden.jar',
  'target/x.jar',
  'target/y.ear',
  'app-1/bin/run',
  'app-1/bin/run.bat',
  'a/b/c/d.jar',
  'we[ird].jar',
]) {
  mkdirSync(join(directory, dirname(path)), { recursive: true })
  writeFileSync(join(directory, path), '')
}
symlinkSync('target', join(directory, 'link'))
const close = () => rmSync(directory, { recursive: true })

describe('findFiles', () => {
  after(close)

  for (const [pattern, ...paths] of [
    ['*.jar', 'a.jar', 'we[ird].jar'],
    ['target/*.[ejw]ar', 'target/x.jar', 'target/y.ear'],
    ['target/*.[!j]ar', 'target/y.ear'],
    ['./target//x.jar', 'target/x.jar'],
    ['*/bin/*', 'app-1/bin/run', 'app-1/bin/run.bat'],
    ['*/bin/???', 'app-1/bin/run'],
    ['**/*.jar', 'a.jar', 'a/b/c/d.jar', 'target/x.jar', 'we[ird].jar'],
    ['a/**', 'a/b/c/d.jar'],
    ['.hidden*', '.hidden.jar'],
    ['link/*'],
    ['../*'],
    ['no/such/*'],
    ['we[[]ird[]].jar', 'we[ird].jar'],
    ['['],
    [''],
  ] as const) {
    it(`finds by ${pattern || 'nothing'}: ${paths.join(', ') || 'none'}`, async () => {
      assert.deepEqual(await findFiles(directory, pattern), paths)
    })
  }
})
