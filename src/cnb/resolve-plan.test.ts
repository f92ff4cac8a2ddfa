import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BuildPlanOption } from './build-plan.ts'
import { type Candidate, resolvePlan } from './resolve-plan.ts'

/** `+a` provides, `-a` requires, `|` begins an alternative: `+a -b | -c`. */
function candidate(id: string, plan: string, optional = false): Candidate {
  const options = plan.split('|').map((section): BuildPlanOption => {
    const words = section.trim().split(/\s+/)
    const named = (sign: string) => words.filter(word => word.startsWith(sign)).map(word => word.slice(1))
    return { provides: named('+'), requires: named('-').map(name => ({ name, metadata: {} })) }
  })
  return { id, version: '1', optional, options }
}

function outcome(...candidates: Candidate[]) {
  const resolution = resolvePlan(candidates)
  return resolution.resolved ? resolution.members.map(({ id }) => id).join(' ') : undefined
}

describe('resolvePlan', () => {
  const rows: [string, Candidate[], string | undefined][] = [
    ['plans that ask for nothing', [candidate('a', ''), candidate('b', '')], 'a b'],
    ['a provider before its consumer', [candidate('a', '+x'), candidate('b', '-x')], 'a b'],
    ['a provider after its consumer', [candidate('a', '-x'), candidate('b', '+x')], undefined],
    ['one that supplies itself', [candidate('a', '+x -x')], 'a'],
    ['what nobody requires', [candidate('a', '+x')], undefined],
    ['what nobody requires, optional', [candidate('a', '+x', true), candidate('b', '')], 'b'],
    ['what nobody provides, optional', [candidate('a', '-x', true), candidate('b', '')], 'b'],
    [
      'a chain that falls',
      [candidate('a', '+x', true), candidate('b', '-x -y', true), candidate('c', '')],
      'c',
    ],
    ['nobody left', [candidate('a', '+x', true)], undefined],
    ['the second alternative', [candidate('a', '+x|+y'), candidate('b', '-y')], 'a b'],
    ['an optional one kept by an alternative', [candidate('a', '+x|', true), candidate('b', '')], 'a b'],
    [
      'two providers of one thing',
      [candidate('a', '+x'), candidate('b', '+x'), candidate('c', '-x')],
      'a b c',
    ],
    [
      'a provider after the last consumer',
      [candidate('a', '+x'), candidate('b', '-x'), candidate('c', '+x')],
      undefined,
    ],
  ]
  for (const [what, candidates, expected] of rows) {
    it(`${what}: ${expected}`, () => assert.equal(outcome(...candidates), expected))
  }

  it('gives one entry per name, in the order of first requirement, with all providers so far', () => {
    const resolution = resolvePlan([
      candidate('a', '+x +y'),
      candidate('b', '+x -y'),
      candidate('c', '-x'),
      { ...candidate('d', '+y -x'), extension: true },
      candidate('e', '-y'),
    ])
    assert.ok(resolution.resolved)
    const short = resolution.plan.map(({ providers, requires }) => [
      requires.map(({ name }) => name).join(' '),
      providers.map(({ id, extension }) => (extension ? `${id}!` : id)).join(' '),
    ])
    assert.deepEqual(short, [
      ['y y', 'a d!'],
      ['x x', 'a b'],
    ])
  })

  it('says why nothing fits', () => {
    const resolution = resolvePlan([candidate('a/b', '-jdk'), candidate('c/d', '+war')])
    assert.deepEqual(resolution, {
      resolved: false,
      notes: [
        'a/b requires jdk, which no buildpack before it provides',
        'c/d provides war, which nobody requires',
      ],
    })
  })

  it('says what optional candidates lack only where there are no others', () => {
    const notes = (...list: Candidate[]) => {
      const resolution = resolvePlan(list)
      return resolution.resolved ? 'resolved' : resolution.notes
    }
    const optional = candidate('a/b', '-jdk', true)
    assert.deepEqual(notes(optional), ['a/b requires jdk, which no buildpack before it provides'])
    assert.deepEqual(notes(optional, candidate('c/d', '+war')), ['c/d provides war, which nobody requires'])
  })

  it('gives up on plans that offer too much', () => {
    const many = Array.from({ length: 20 }, (_, index) => candidate(`b${index}`, '+x|+y|+z'))
    assert.throws(() => resolvePlan(many), { code: 'BUILD_PLAN_TOO_COMPLEX' })
  })

  const name = fc.constantFrom('x', 'y', 'z')
  const option = fc
    .record({ provides: fc.uniqueArray(name), requires: fc.uniqueArray(name) })
    .map(({ provides, requires }) => ({
      provides,
      requires: requires.map(each => ({ name: each, metadata: {} })),
    }))
  const candidates = fc
    .array(fc.record({ optional: fc.boolean(), options: fc.array(option, { minLength: 1, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 5,
    })
    .map(list => list.map((each, index): Candidate => ({ id: `b${index}`, version: '1', ...each })))

  it('keeps every required candidate, the order, and only entries that are provided and required', () => {
    fc.assert(
      fc.property(candidates, list => {
        const resolution = resolvePlan(list)
        if (!resolution.resolved) return
        const { members, plan } = resolution
        assert.deepEqual(
          members,
          list.filter(each => members.includes(each)),
        )
        for (const each of list) assert.ok(each.optional || members.includes(each))
        for (const { providers, requires } of plan) {
          assert.ok(providers.length > 0 && requires.length > 0)
          for (const provider of providers) assert.ok(members.some(({ id }) => id === provider.id))
        }
      }),
    )
  })

  it('agrees with trying every subset by hand, where there are no alternatives', () => {
    fc.assert(
      fc.property(candidates, list => {
        const plain = list.map(
          ({ options, ...each }): Candidate => ({ ...each, options: options.slice(0, 1) }),
        )
        assert.equal(resolvePlan(plain).resolved, subsets(plain).some(fits))
      }),
    )
  })
})

/** All choices that keep the required candidates. */
function subsets(list: readonly Candidate[]): Candidate[][] {
  return list.reduce<Candidate[][]>(
    (found, each) => [...found.map(set => [...set, each]), ...(each.optional ? found : [])],
    [[]],
  )
}

/** Everything required is provided by the same or an earlier one, and everything provided required by the same or a later one. */
function fits(set: readonly Candidate[]): boolean {
  const option = (index: number) => set[index]?.options[0] ?? { provides: [], requires: [] }
  return (
    set.length > 0 &&
    set.every((_, index) => {
      const before = set.slice(0, index + 1).flatMap((__, other) => option(other).provides)
      const after = set
        .slice(index)
        .flatMap((__, other) => option(index + other).requires.map(({ name }) => name))
      return (
        option(index).requires.every(({ name }) => before.includes(name)) &&
        option(index).provides.every(name => after.includes(name))
      )
    })
  )
}
