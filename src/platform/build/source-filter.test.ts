import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sourceFilter } from './source-filter.ts'

const kept = (filter: (path: Buffer, directory: boolean) => boolean, ...paths: string[]) =>
  paths.filter(path => !filter(Buffer.from(path.replace(/\/$/, '')), path.endsWith('/')))

describe('sourceFilter', () => {
  it('keeps everything but git and the lock where nothing is said', () => {
    assert.deepEqual(kept(sourceFilter({}), '.git/', 'slipway.lock', 'a', 'web/.git/', '.gitignore'), [
      'a',
      'web/.git/',
      '.gitignore',
    ])
  })

  it('leaves out what exclude matches, as gitignore would', () => {
    const filter = sourceFilter({ exclude: ['target/', '*.log', '!keep.log'] })
    assert.deepEqual(kept(filter, 'target/', 'target', 'a/b.log', 'keep.log', 'src/'), [
      'target',
      'keep.log',
      'src/',
    ])
  })

  it('takes only what include matches, in whatever directory', () => {
    const filter = sourceFilter({ include: ['*.jar', 'slipway.lock'] })
    assert.deepEqual(kept(filter, 'a.jar', 'lib/', 'lib/b.jar', 'README', 'slipway.lock'), [
      'a.jar',
      'lib/',
      'lib/b.jar',
      'slipway.lock',
    ])
  })

  it('takes names that are not UTF-8', () => {
    assert.equal(sourceFilter({ exclude: ['*.log'] })(Buffer.from([0xff, 0xfe]), false), false)
  })
})
