import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printJson, temporaryDirectory, writeDurably } from '../src/std/mod.ts'
import { goldenBases } from '../test/support/golden-bases.ts'

// Writes test/golden/bases.json anew: run it after `slipway base lock`, and read the diff.
await using place = await temporaryDirectory(tmpdir(), 'golden-')
await writeDurably(
  'test/golden/bases.json',
  printJson(await goldenBases(process.argv[2] ?? join(place.path, 'state'))),
)
