import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { compileGlob } from '../../src/lifecycle/glob.ts'
import { layerTar, parentEntries } from '../../src/lifecycle/layer-tar.ts'
import { cutSlices } from '../../src/lifecycle/slices.ts'
import { scanTree } from '../../src/lifecycle/tree.ts'
import { Digesting, type TemporaryDirectory, temporaryDirectory } from '../../src/std/mod.ts'

/**
 * The reference lifecycle's own package `layers` packs the same random trees; every diffID has to agree. Needs Go, and the Go module
 * of the reference from its module cache or proxy.
 */

interface Answer {
  readonly Directories: readonly string[]
  readonly App: readonly string[]
  readonly Matches: readonly number[]
}

let directory: TemporaryDirectory
let missing: string | undefined
before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'oracle-')
  try {
    const options = { cwd: join(import.meta.dirname, '../oracle'), stdio: 'pipe', timeout: 300_000 } as const
    execFileSync('go', ['build', '-o', join(directory.path, 'oracle'), '.'], options)
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    missing = code === 'ENOENT' ? 'there is no Go on this machine' : `the oracle does not build: ${stderr}`
  }
})
after(() => directory[Symbol.asyncDispose]())

function ask(question: object): Answer {
  const input = JSON.stringify({
    UID: 0,
    GID: 0,
    Directories: [],
    App: '',
    Slices: [],
    Matches: [],
    ...question,
  })
  return JSON.parse(execFileSync(join(directory.path, 'oracle'), { input, maxBuffer: 64 << 20 }).toString())
}

/** A tree as instructions: where (three steps at most), what, and with which mode. */
type Instruction = readonly [
  steps: readonly string[],
  kind: 'file' | 'directory' | 'symlink' | 'link',
  mode: number,
  size: number,
]

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', 'a-b', 'a.b', 'ab', 'lib', 'A', '.x', '~', ' ', '[x]', '*', 'a\\b'),
  },
  { weight: 1, arbitrary: fc.constantFrom('é', 'ü'.normalize('NFD'), '日本', '\u{1f680}') },
  // Bytes that are not UTF-8, and names that do not fit the fields of USTAR.
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'latin1:\xff\xfe',
      `long${'x'.repeat(96)}`,
      `long${'y'.repeat(240)}`,
      `${'é'.repeat(60)}`,
    ),
  },
)
const instruction: fc.Arbitrary<Instruction> = fc.tuple(
  fc.array(step, { minLength: 1, maxLength: 4 }),
  fc.constantFrom(
    'file' as const,
    'file' as const,
    'directory' as const,
    'symlink' as const,
    'link' as const,
  ),
  fc.constantFrom(0o644, 0o755, 0o600, 0o777, 0o4755, 0o2755, 0o1777, 0o400),
  fc.constantFrom(0, 1, 511, 512, 513, 5000, 1 << 20, (1 << 20) + 1),
)
const tree = fc.array(instruction, { maxLength: 25 })

function bytesOf(text: string): Buffer {
  return text.startsWith('latin1:') ? Buffer.from(text.slice(7), 'latin1') : Buffer.from(text)
}

/** Makes what can be made of the instructions; those that contradict what is there already change nothing. */
function plant(root: string, instructions: readonly Instruction[]): void {
  const files: Buffer[] = []
  for (const [steps, kind, mode, size] of instructions) {
    let path = Buffer.from(root)
    try {
      for (const [index, each] of steps.entries()) {
        path = Buffer.concat([path, Buffer.from('/'), bytesOf(each)])
        if (index < steps.length - 1) mkdirSync(path, { recursive: true })
      }
      const first = files[0]
      if (kind === 'directory') mkdirSync(path)
      else if (kind === 'symlink') symlinkSync(bytesOf(`../${steps.join('/')}`), path)
      else if (kind === 'link' && first) linkSync(first, path)
      else {
        writeFileSync(path, Buffer.alloc(size, size % 251), { flag: 'wx' })
        files.push(path)
      }
      if (kind !== 'symlink') chmodSync(path, mode)
    } catch (error) {
      if (
        !['EEXIST', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ENOENT'].includes(
          String((error as { code?: string }).code),
        )
      )
        throw error
    }
  }
}

async function digestOfStream(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const digesting = new Digesting()
  for await (const chunk of stream) digesting._transform(chunk, 'utf8', () => {})
  return digesting.digest()
}

async function packed(root: string, uid: number, gid: number): Promise<string> {
  const place = { host: root, inside: root }
  const rules = { owner: { uid, gid }, parents: 'disk' } as const
  const parents = await parentEntries(place, place, rules)
  return digestOfStream(layerTar({ place, entries: await scanTree(root), parents, owner: rules.owner }))
}

async function cut(
  root: string,
  slices: readonly (readonly string[])[],
  uid: number,
  gid: number,
): Promise<string[]> {
  const place = { host: root, inside: root }
  const owner = { uid, gid }
  const parents = await parentEntries(place, place, { owner, parents: 'disk' })
  const lists = cutSlices(
    await scanTree(root),
    slices.map(paths => ({ paths })),
    root,
  )
  return Promise.all(
    lists.map(entries =>
      digestOfStream(layerTar({ place, entries, parents: entries.length > 0 ? parents : [], owner })),
    ),
  )
}

const id = fc.constantFrom(0, 1000, 1001, 2_097_151, 2_097_152, 2 ** 31 - 1)
const pattern = fc
  .array(
    fc.constantFrom(
      '*',
      '?',
      '/',
      'a',
      'b',
      'lib',
      '[ab]',
      '[^a]',
      '[a-z]',
      '\\*',
      '-',
      '.',
      'é',
      '..',
      '日',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map(parts => parts.join(''))

describe('layers, as the reference packs them', () => {
  it('of random directories', async t => {
    if (missing) return t.skip(missing)
    let run = 0
    await fc.assert(
      fc.asyncProperty(tree, id, id, async (instructions, uid, gid) => {
        const root = join(directory.path, `directory-${++run}`)
        mkdirSync(root)
        plant(root, instructions)
        assert.equal(
          await packed(root, uid, gid),
          ask({ UID: uid, GID: gid, Directories: [root] }).Directories[0],
        )
      }),
      { numRuns: 60, seed: 20261124 },
    )
  })

  it('of random apps in random slices', async t => {
    if (missing) return t.skip(missing)
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.array(fc.array(pattern, { maxLength: 3 }), { maxLength: 4 }),
        async (instructions, slices) => {
          const root = join(directory.path, `app-${++run}`)
          mkdirSync(root)
          plant(root, instructions)
          // Patterns from the root match nothing in the reference, and something here.
          const relative = slices.map(paths => paths.filter(each => !each.startsWith('/')))
          assert.deepEqual(
            await cut(root, relative, 1001, 1000),
            ask({ UID: 1001, GID: 1000, App: root, Slices: relative }).App,
          )
        },
      ),
      { numRuns: 80, seed: 20261124 },
    )
  })
})

describe('patterns, as Go matches them', () => {
  it('on random patterns and paths', t => {
    if (missing) return t.skip(missing)
    const character = fc.constantFrom(
      '*',
      '?',
      '[',
      ']',
      '^',
      '-',
      '\\',
      '/',
      'a',
      'b',
      'c',
      'z',
      'é',
      '日',
      '\u{1f680}',
    )
    const text = fc.array(character, { maxLength: 9 }).map(parts => parts.join(''))
    const path = fc.oneof(
      fc
        .array(fc.constantFrom('/', 'a', 'b', 'c', 'z', '-', 'é', '日', '\u{1f680}', '*'), { maxLength: 9 })
        .map(parts => Buffer.from(parts.join(''))),
      fc.uint8Array({ maxLength: 5 }).map(bytes => Buffer.from(bytes)),
    )
    const pairs = fc.sample(fc.tuple(text, path), { numRuns: 30_000, seed: 20261124 })
    const { Matches } = ask({
      Matches: pairs.map(([glob, bytes]) => [Buffer.from(glob).toString('base64'), bytes.toString('base64')]),
    })
    const counts = { matched: 0, malformed: 0 }
    for (const [index, [glob, bytes]] of pairs.entries()) {
      const ours = matchOf(glob, bytes.toString('latin1'))
      if (Matches[index] === 1) counts.matched += 1
      if (Matches[index] === -1) counts.malformed += 1
      // Go finds some malformed patterns only on paths that match up to there.
      if (ours === -1 && Matches[index] === 0) continue
      assert.equal(ours, Matches[index], `${glob} on ${JSON.stringify(bytes.toString('latin1'))}`)
    }
    assert.ok(counts.matched > 500 && counts.malformed > 500, JSON.stringify(counts))
  })
})

function matchOf(glob: string, path: string): number {
  try {
    return compileGlob(glob)(path) ? 1 : 0
  } catch {
    return -1
  }
}
