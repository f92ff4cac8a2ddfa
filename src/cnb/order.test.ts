import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseOrder, printOrder } from './order.ts'
import { parseSystem, withSystem } from './system.ts'

const text = `[[order]]
[[order.group]]
id = "acme/a"
version = "1"

[[order.group]]
id = "acme/b"
version = "2"
optional = true
exec-env = [ "test" ]

[[order-extensions]]
[[order-extensions.group]]
id = "acme/e"
version = "3"
`

describe('order.toml', () => {
  it('is read and printed', () => {
    const parsed = parseOrder(text, 'order.toml')
    assert.deepEqual(parsed, {
      order: [
        [
          { id: 'acme/a', version: '1', optional: false, execEnv: [] },
          { id: 'acme/b', version: '2', optional: true, execEnv: ['test'] },
        ],
      ],
      extensions: [[{ id: 'acme/e', version: '3', optional: false, execEnv: [] }]],
    })
    assert.equal(printOrder(parsed), text)
  })

  it('names the place of what is wrong', () => {
    const wrong = '[[order]]\n[[order.group]]\nid = 1\n'
    assert.throws(() => parseOrder(wrong, 'order.toml'), {
      code: 'DOCUMENT_INVALID',
      why: /line 3, column 1: order/,
    })
    assert.throws(() => parseOrder('[[order]', 'order.toml'), { code: 'TOML_MALFORMED', why: /line 1/ })
  })
})

describe('system.toml', () => {
  it('puts its buildpacks around each group, optional ones as optional, and none twice', () => {
    const system = parseSystem(
      `[[system.pre.buildpacks]]
id = "sys/pre"
version = "1"
optional = true
[[system.post.buildpacks]]
id = "acme/b"
version = "9"
[[system.post.buildpacks]]
id = "sys/post"
version = "1"
`,
      'system.toml',
    )
    const [group] = withSystem(parseOrder(text, 'x').order, system)
    assert.deepEqual(
      group?.map(({ id, version, optional }) => [id, version, optional]),
      [
        ['sys/pre', '1', true],
        ['acme/a', '1', false],
        ['acme/b', '2', true],
        ['sys/post', '1', false],
      ],
    )
  })
})
