import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { command } from './command.ts'
import { type CommandTable, parseArguments } from './parse.ts'

const echo = command({
  summary: 'Echo',
  arguments: { image: { help: 'image' }, words: { help: 'words', rest: true } },
  options: {
    path: { help: 'path', value: 'DIR' },
    env: { help: 'variable', short: 'e', value: 'NAME=VALUE', multiple: true },
    publish: { help: 'switch' },
  },
  examples: [],
  run: async () => 0,
})
const table: CommandTable = { echo: { summary: 'Echo', load: async () => echo as never } }

async function inputOf(...argv: string[]) {
  const parsed = await parseArguments(argv, table)
  assert.ok('input' in parsed)
  return parsed.input as Record<string, unknown>
}

describe('parseArguments', () => {
  it('gives values, lists and switches by the names they were declared with', async () => {
    assert.deepEqual(await inputOf('echo', '--path', 'x', '-e', 'A=1', '-e', 'B=2', 'shop'), {
      image: 'shop',
      words: [],
      path: 'x',
      env: ['A=1', 'B=2'],
      publish: false,
    })
  })

  it('hands what follows the last argument on untouched', async () => {
    const input = await inputOf('echo', 'shop', '--', '--path', '-v')
    assert.deepEqual(input.words, ['--path', '-v'])
    assert.equal(input.path, undefined)
  })
})
