import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseExactJson, parseJson, printJson } from './json.ts'
import { Problem } from './problem.ts'
import { assertRefused } from './refusal.testing.ts'
import { parseToml, printToml } from './toml.ts'

describe('parseToml, of text by anybody', () => {
  const REFUSED: Record<string, string> = {
    'a key twice': 'a = 1\na = 2',
    'a key twice, quoted and not': 'a = 1\n"a" = 2',
    'a table twice': '[a]\n[a]',
    'a table over a value': 'a = 1\n[a]',
    'a list of tables over a table': '[a]\n[[a]]',
    'a key below an inline table': 'a = {}\na.b = 1',
    '__proto__ twice': '__proto__ = 1\n__proto__ = 2',
    'an integer beyond 2^53': 'a = 9007199254740993',
    'an integer of a megabyte': `a = ${'1'.repeat(1 << 20)}`,
    'half of a surrogate pair': 'a = "\\ud800"',
    'a code point that is none': 'a = "\\U00110000"',
    'a control character': 'a = "\u0001"',
    'a NUL in a key': 'a\0b = 1',
    'an escape of a terminal in a comment': '# \u001b[2J\na = 1',
    'a bare carriage return': 'a = "x\ry"',
    'an unknown escape': 'a = "\\q"',
    'a month 13': 'a = 2024-13-01',
    'a 32nd of January': 'a = 2024-01-32',
    'an hour 25': 'a = 2024-01-01T25:00:00Z',
    'a string without an end': `a = "${'x'.repeat(1 << 20)}`,
    'a string of lines without an end': `a = """${'\n'.repeat(1 << 16)}`,
    'lists in lists, a hundred thousand deep': `a = ${'['.repeat(100_000)}`,
    'lists in lists that end, 200 deep': `a = ${'['.repeat(200)}${']'.repeat(200)}`,
    'inline tables, 900 deep': `a = ${'{a='.repeat(900)}1${'}'.repeat(900)}`,
    'a dotted key of 100,000 parts': `${'a.'.repeat(100_000)}a = 1`,
    'a table name of 20,000 parts': `[${'a.'.repeat(20_000)}a]`,
    'no value': 'a =',
    'no key': '= 1',
    'two on a line': 'a = 1 b = 2',
    JSON: '{"a": 1}',
  }
  for (const [what, text] of Object.entries(REFUSED))
    it(`REFUSE: ${what}`, () =>
      assertRefused(() => parseToml(text, 'the file'), 'TOML_MALFORMED', /^line \d+, column \d+: /))

  const READ: Record<string, [string, unknown]> = {
    'keys of other cases': ['a = 1\nA = 2', { a: 1, A: 2 }],
    'a string of a megabyte': [`a = "${'x'.repeat(1 << 20)}"`, { a: 'x'.repeat(1 << 20) }],
    '60 levels': [`a = ${'['.repeat(60)}${']'.repeat(60)}`, { a: nested(60) }],
    'the largest integer': ['a = 9007199254740991', { a: 2 ** 53 - 1 }],
    'an escape of a terminal, escaped': ['a = "\\u001b[2J"', { a: '\u001b[2J' }],
    nothing: ['', {}],
  }
  for (const [what, [text, expected]] of Object.entries(READ))
    it(`SAME: ${what}`, () => assert.deepEqual(JSON.parse(JSON.stringify(parseToml(text, 'x'))), expected))

  it('INERT: names that objects have anyway', () => {
    const table = parseToml(
      '[__proto__]\npolluted = 1\n[constructor.prototype]\npolluted = 1\n[a]\ntoString = 1',
      'x',
    )
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.deepEqual(Object.keys(table), ['__proto__', 'constructor', 'a'])
    assert.deepEqual(Object.keys(parseToml(printToml(table), 'x')), Object.keys(table))
  })

  it('throws nothing but a Problem, whatever it is given', () => {
    const token = fc.constantFrom(
      '[',
      ']',
      '[[',
      ']]',
      '{',
      '}',
      '=',
      '.',
      ',',
      '"',
      "'",
      '"""',
      '\n',
      '#',
      'a',
      '1',
      '\\',
      '-',
      '__proto__',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token, { maxLength: 40 }).map(parts => parts.join('')),
        ),
        text => {
          try {
            parseToml(text, 'x')
          } catch (error) {
            assert.ok(
              error instanceof Problem && error.code === 'TOML_MALFORMED',
              `${JSON.stringify(text)}: ${error}`,
            )
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('reads what it prints', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const { table } = fc.letrec(tie => ({
      table: fc.dictionary(fc.string({ minLength: 1 }), tie('value') as fc.Arbitrary<unknown>, {
        maxKeys: 4,
      }),
      value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(fc.integer(), { maxLength: 3 }), tie('table')),
    }))
    fc.assert(
      fc.property(table as fc.Arbitrary<Record<string, unknown>>, value => {
        const text = printToml(value)
        assert.equal(printToml(parseToml(text, 'x')), text)
      }),
      { numRuns: 300 },
    )
  })
})

describe('parseJson, of text by anybody', () => {
  const REFUSED: Record<string, string> = {
    nothing: '',
    'half of it': '{"a":',
    'more after it': '{} {}',
    'a comment': '{} // x',
    'a comma too many': '[1,]',
    'single quotes': "{'a':1}",
    'no number': '{"a":NaN}',
    'a number in octal': '{"a":01}',
    'a control character in a string': '{"a":"\u0001"}',
    'an escape of a terminal': '\u001b[2J',
    'lists in lists, a million deep': '['.repeat(1_000_000),
    'lists in lists that end, 100,000 deep': '['.repeat(100_000) + ']'.repeat(100_000),
    'lists in lists that end, 65 deep': '['.repeat(65) + ']'.repeat(65),
    __proto__: '{"a":{"__proto__":{"polluted":1}}}',
    '__proto__, escaped': '{"\\u005f_proto__":1}',
    'a login page': '<!doctype html><html>',
    'a mark at its start': '\ufeff{}',
  }
  for (const [what, text] of Object.entries(REFUSED)) {
    it(`REFUSE: ${what}`, () => assertRefused(() => parseJson(text, 'the document'), 'JSON_MALFORMED'))
  }
  it('REFUSE: more than may be', () =>
    assertRefused(() => parseJson('"123456789"', 'x', 10), 'JSON_MALFORMED', /larger/))

  it('SAME: what is good', () => {
    assert.deepEqual(parseJson('['.repeat(64) + ']'.repeat(64), 'x'), nested(64))
    assert.deepEqual(parseJson('{"constructor":{"prototype":1}}', 'x'), { constructor: { prototype: 1 } })
    assert.equal(parseJson('"\\ud800"', 'x'), '\ud800')
    assert.equal(parseJson('"12345678"', 'x', 10), '12345678')
  })

  const INEXACT: Record<string, string | Buffer> = {
    'a key twice': '{"layers":[],"layers":[1]}',
    'a key twice, escaped once': '{"layers":[],"l\\u0061yers":[1]}',
    'a key twice, deep inside': '[{"a":{"b":[{"c":1,"d":{"c":1},"c":2}]}}]',
    'an empty key twice': '{"":1,"":2}',
    'a mark at its start': '\ufeff{}',
    'bytes that are no text': Buffer.from([0x22, 0xff, 0x22]),
    'half of a character': Buffer.from([0x22, 0xc3, 0x22]),
    'an overlong slash': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    'UTF-16': Buffer.from('{"a":1}', 'utf16le'),
  }
  for (const [what, text] of Object.entries(INEXACT)) {
    it(`REFUSE: in documents with a digest, ${what}`, () =>
      assertRefused(() => parseExactJson(Buffer.from(text as string), 'the document'), 'JSON_MALFORMED'))
  }
  it('SAME: in documents with a digest, equal keys of different objects, and keys that look like values', () => {
    const text = '{"a":"a","b":{"a":["a","a",{"a":1}]},"A":"\\"a\\":1,\\"a\\"","c":{},"d":[]}'
    assert.deepEqual(parseExactJson(Buffer.from(text), 'x'), JSON.parse(text))
  })

  it('finds a key that is there twice, and never one that is not', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('a', '"', '\\', '{', '[,', '":"'))
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.json({ maxDepth: 2 }), { minKeys: 1 }),
        fc.boolean(),
        (table, twice) => {
          const pairs = Object.entries(table).map(([name, json]) => `${JSON.stringify(name)}:${json}`)
          const text = `{${[...pairs, ...(twice ? pairs.slice(0, 1) : [])].join(',')}}`
          if (text.includes('__proto__')) return
          // The inner documents are made from objects, so they have no key twice.
          if (!twice) parseExactJson(Buffer.from(text), 'x')
          else assert.throws(() => parseExactJson(Buffer.from(text), 'x'), { code: 'JSON_MALFORMED' })
        },
      ),
      { numRuns: 300 },
    )
  })

  it('reads what it prints, and throws nothing but a Problem', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const text = printJson(value)
        if (!text.includes('__proto__')) assert.equal(printJson(parseJson(text, 'x')), text)
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map(text => text.replace(/[,:]/, '')),
        ),
        text => {
          try {
            parseJson(text, 'x')
          } catch (error) {
            assert.ok(error instanceof Problem && error.code === 'JSON_MALFORMED')
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

function nested(depth: number): unknown {
  let value: unknown[] = []
  for (let level = 1; level < depth; level++) value = [value]
  return value
}
