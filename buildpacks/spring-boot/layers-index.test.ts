import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseLayersIndex } from './layers-index.ts'

describe('parseLayersIndex', () => {
  it('reads what the plugins of Spring Boot write', () => {
    assert.deepEqual(parseLayersIndex('- "a":\n  - "x/"\n  - "y z.jar"\n- "b":\n'), [
      { name: 'a', paths: ['x/', 'y z.jar'] },
      { name: 'b', paths: [] },
    ])
  })

  it('reads what people write: comments, other quotes or none, Windows line ends', () => {
    assert.deepEqual(parseLayersIndex("# mine\r\n- a:\r\n    - x/\r\n\r\n- 'b c':\r\n  - 'y'\r\n"), [
      { name: 'a', paths: ['x/'] },
      { name: 'b c', paths: ['y'] },
    ])
  })

  for (const text of ['a: b\n', '- "x"\n', '  - "first"\n', '- {a: [x]}\n', '- "a": ["x"]\n'])
    it(`does not guess at ${JSON.stringify(text)}`, () => assert.equal(parseLayersIndex(text), undefined))
})
