import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openConfiguration, printConfiguration, splitWords } from './configuration.ts'
import { openLog } from './log.ts'

const variables = [
  { name: 'BP_A', default: '17', description: 'the version', build: true, launch: false },
  { name: 'BP_LONGER', description: 'more', build: true, launch: false },
  { name: 'BPL_B', default: '0', description: 'the headroom', build: false, launch: true },
]

describe('configuration', () => {
  it('prefers what the user gave, also if it is empty', () => {
    const configuration = openConfiguration(variables, { BP_LONGER: 'x', BPL_B: '' })
    assert.deepEqual(['BP_A', 'BP_LONGER', 'BPL_B', 'BP_NONE'].map(configuration.text), ['17', 'x', '', ''])
    assert.deepEqual(['BP_A', 'BP_LONGER'].map(configuration.given), [undefined, 'x'])
  })

  it('reads truth and numbers, and says which variable holds neither', () => {
    const configuration = openConfiguration([], { A: 'TRUE', B: 'no', C: '', D: 'maybe', E: '42', F: '4x' })
    assert.deepEqual(['A', 'B', 'C', 'Z'].map(configuration.flag), [true, false, false, false])
    assert.throws(() => configuration.flag('D'), { code: 'CONFIGURATION_INVALID', what: /\$D/ })
    assert.equal(configuration.number('E'), 42)
    assert.equal(configuration.number('Z'), undefined)
    assert.throws(() => configuration.number('F'), { code: 'CONFIGURATION_INVALID' })
  })

  it('prints two tables with aligned columns', () => {
    let text = ''
    const log = openLog(part => {
      text += part
    })
    printConfiguration(variables, openConfiguration(variables, {}), log)
    assert.equal(
      text,
      [
        '  Build Configuration:',
        '    $BP_A       17  the version',
        '    $BP_LONGER      more',
        '  Launch Configuration:',
        '    $BPL_B  0  the headroom',
        '',
      ].join('\n'),
    )
  })
})

describe('splitWords', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['  a  b ', ['a', 'b']],
    ["-Da='b c' d", ['-Da=b c', 'd']],
    ['"a \\"b\\"" c\\ d', ['a "b"', 'c d']],
    ["'' x", ['', 'x']],
    ['\'a\\b\' "a\\nb"', ['a\\b', 'a\\nb']],
    ['$HOME *', ['$HOME', '*']],
    ['end\\', ['end\\']],
  ]
  for (const [text, words] of cases)
    it(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(splitWords(text, 'it'), words))

  it('refuses an open quote', () => {
    for (const text of ["'a", '"a', '"a\\"'])
      assert.throws(() => splitWords(text, '$X'), { code: 'CONFIGURATION_INVALID', what: /\$X/ })
  })
})
