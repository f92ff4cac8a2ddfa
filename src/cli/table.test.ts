import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { table } from './table.ts'

describe('table', () => {
  it('makes each column as wide as its widest cell and ends no line with blanks', () => {
    assert.equal(
      table([
        ['NAME', 'SIZE'],
        ['shop', ''],
        ['a-long-name', '1 B'],
      ]),
      'NAME         SIZE\nshop\na-long-name  1 B',
    )
  })

  it('shows control characters instead of obeying them, and keeps a cell on its line', () => {
    assert.equal(table([['a\u001b[2Jb\nc', 'd']]), 'a\\u001b[2Jb c  d')
  })
})
