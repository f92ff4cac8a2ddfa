import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { build } from 'esbuild'
import { temporaryDirectory } from '../../src/std/mod.ts'

/** Two files of this size are exported at once, and one of them is cached. */
const SIZE = 512 * 2 ** 20
const LIMIT = 256 * 2 ** 20

it('an export takes less memory than one of the files that it packs', async t => {
  await using directory = await temporaryDirectory(tmpdir(), 'memory-')
  const child = join(directory.path, 'child.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'export-memory-child.ts')],
    outfile: child,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
  const most =
    Number(execFileSync(process.execPath, [child, join(directory.path, 'build'), String(SIZE)]).toString()) *
    1024
  t.diagnostic(`${Math.round(most / 2 ** 20)} MiB`)
  assert.ok(most < LIMIT, `${most} bytes`)
})
