import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isRecordIn, nodeHash, parseTreeHead, recordHash, subtreesFromTiles } from './go-tree.ts'

/** A log as its server would keep it: hashes by level. */
export function logOf(records: readonly string[]) {
  const levels: Buffer[][] = [records.map(recordHash)]
  for (let below = levels[0] as Buffer[]; below.length > 1; below = levels.at(-1) as Buffer[]) {
    const pairs = Math.floor(below.length / 2)
    levels.push(
      Array.from({ length: pairs }, (_, at) =>
        nodeHash(below[2 * at] as Buffer, below[2 * at + 1] as Buffer),
      ),
    )
  }
  const rootOf = (from: number, to: number): Buffer => {
    if (to - from === 1) return levels[0]?.[from] as Buffer
    let half = 1
    while (half * 2 < to - from) half *= 2
    return nodeHash(rootOf(from, from + half), rootOf(from + half, to))
  }
  const tile = (path: string): Buffer | undefined => {
    const [, row, name = '', width = '256'] = /^tile\/8\/(\d+)\/([x\d/]+?)(?:\.p\/(\d+))?$/.exec(path) ?? []
    const first = Number(name.replace(/[x/]/g, '')) * 256
    const hashes = levels[Number(row) * 8]?.slice(first, first + Number(width)) ?? []
    return hashes.length === Number(width) ? Buffer.concat(hashes) : undefined
  }
  return { head: { size: records.length, root: rootOf(0, records.length) }, tile }
}

describe('isRecordIn', () => {
  const records = (size: number) => Array.from({ length: size }, (_, at) => `record ${at}\n`)
  const prove = (log: ReturnType<typeof logOf>, place: number, record: string) =>
    isRecordIn(
      log.head,
      place,
      record,
      subtreesFromTiles(log.head.size, async (path, width) => {
        const found = log.tile(width === 256 ? path : `${path}.p/${width}`)
        assert.ok(found, path)
        return found
      }),
    )

  it('proves every record of logs of any size, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), fc.nat(), async (size, chosen) => {
        const log = logOf(records(size))
        const place = chosen % size
        assert.equal(await prove(log, place, `record ${place}\n`), true)
        assert.equal(await prove(log, place, `another ${place}\n`), false)
        if (size > 1) assert.equal(await prove(log, (place + 1) % size, `record ${place}\n`), false)
      }),
      { numRuns: 20 },
    )
  })

  it('goes up four rows of tiles, in a log of equal records', async () => {
    const size = 2 ** 26 + 70_000
    const levels = [recordHash('same\n')]
    while (levels.length < 28) levels.push(nodeHash(levels.at(-1) as Buffer, levels.at(-1) as Buffer))
    const rootOf = (count: number): Buffer => {
      const level = Math.floor(Math.log2(count))
      const rest = count - 2 ** level
      return rest === 0 ? (levels[level] as Buffer) : nodeHash(levels[level] as Buffer, rootOf(rest))
    }
    const head = { size, root: rootOf(size) }
    const rows = new Set<string>()
    const subtree = subtreesFromTiles(size, async (path, width) => {
      const row = path.split('/')[2] as string
      rows.add(row)
      return Buffer.concat(Array.from({ length: width }, () => levels[Number(row) * 8] as Buffer))
    })
    assert.equal(await isRecordIn(head, 12_345_678, 'same\n', subtree), true)
    assert.equal(await isRecordIn(head, 12_345_678, 'other\n', subtree), false)
    assert.deepEqual([...rows].sort(), ['0', '1', '2', '3'])
  })

  it('refuses places outside, and tiles that are too short', async () => {
    const log = logOf(records(300))
    for (const place of [-1, 300, Number.NaN, 1.5]) assert.equal(await prove(log, place, 'record 0\n'), false)
    const none = subtreesFromTiles(300, async () => Buffer.alloc(0))
    assert.equal(await isRecordIn(log.head, 1, 'record 1\n', none), false)
  })

  it('reads tree heads', () => {
    const root = Buffer.alloc(32, 7)
    assert.deepEqual(parseTreeHead(`go.sum database tree\n12\n${root.toString('base64')}\n`), {
      size: 12,
      root,
    })
    for (const bad of ['', 'go.sum database tree\n-1\nx\n', `tree\n1\n${root.toString('base64')}\n`]) {
      assert.equal(parseTreeHead(bad), undefined)
    }
  })
})
