import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DebianPackage } from '#sources'
import { resolvePackages, type Wanted } from './resolve.ts'

/** `name version`, with fields after it: `a 1 ; Depends: b (>= 2)`. */
function index(suite: string, ...lines: string[]): { all: () => Promise<DebianPackage[]> } {
  const packages = lines.map(line => {
    const [head = '', ...rest] = line.split(' ; ')
    const [name = '', version = ''] = head.split(' ')
    const fields = Object.fromEntries(rest.map(field => field.split(': ') as [string, string]))
    const path = `pool/main/x/${name}_${version}_${suite}.deb`
    return {
      name,
      version,
      arch: fields.Architecture ?? 'amd64',
      path,
      sha256: 'a'.repeat(64),
      size: 1,
      suite,
      fields,
    }
  })
  return { all: async () => packages }
}

async function resolved(
  wanted: Partial<Wanted> & { packages: readonly string[] },
  ...indices: ReturnType<typeof index>[]
): Promise<string[]> {
  const question: Wanted = { name: 'run:test', release: 'trixie', arch: 'amd64', exclude: [], ...wanted }
  const { packages } = await resolvePackages(indices, question)
  return packages.map(({ name, version, why }) => `${name} ${version} ${why}`)
}

describe('resolving packages', () => {
  it('takes dependencies and what comes before them, each for the one that asked first', async () => {
    const main = index('main', 'a 1 ; Depends: b, c', 'b 1 ; Pre-Depends: c (>= 1)', 'c 1', 'd 1')
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'b 1 a', 'c 1 a'])
  })

  it('has one candidate per name: the highest over all suites, or the lowest', async () => {
    const indices = [index('main', 'a 1.9'), index('security', 'a 1.10'), index('updates', 'a 1.10~rc1')]
    assert.deepEqual(await resolved({ packages: ['a'] }, ...indices), ['a 1.10 recipe'])
    assert.deepEqual(await resolved({ packages: ['a'], choose: 'oldest' }, ...indices), ['a 1.9 recipe'])
  })

  it('does not take an older provider from another suite beside what is there', async () => {
    const main = index(
      'main',
      'web 9 ; Provides: httpd',
      'web-light 9 ; Provides: web, httpd',
      'page 1 ; Depends: web',
    )
    const security = index(
      'security',
      'web 11 ; Provides: httpd',
      'web-light 11 ; Provides: web (= 11), httpd',
    )
    assert.deepEqual(await resolved({ packages: ['page', 'web-light'] }, main, security), [
      'page 1 recipe',
      'web-light 11 recipe',
    ])
  })

  it('takes the alternative that is there, however late, before the one that is named first', async () => {
    const main = index('main', 'a 1 ; Depends: b | c', 'b 1', 'c 1')
    assert.deepEqual(await resolved({ packages: ['a', 'c'] }, main), ['a 1 recipe', 'c 1 recipe'])
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'b 1 a'])
  })

  it('passes over alternatives that cannot be had, or not in that version', async () => {
    const main = index('main', 'a 1 ; Depends: gone | b (>= 2) | c', 'b 1', 'c 1')
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'c 1 a'])
  })

  it('takes of several providers the more important, then the first by name', async () => {
    const optional = 'Priority: optional ; Provides: shell'
    const main = index(
      'main',
      'a 1 ; Depends: shell',
      `x 1 ; ${optional}`,
      `w 1 ; ${optional}`,
      'z 1 ; Priority: required ; Provides: shell',
    )
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'z 1 a'])
  })

  it('lets a provided name without a version satisfy only dependencies without one', async () => {
    const main = index('main', 'a 1 ; Depends: v (>= 1)', 'p 1 ; Provides: v')
    await assert.rejects(resolved({ packages: ['a'] }, main), { code: 'BASE_PACKAGE_MISSING' })
    const versioned = index('main', 'a 1 ; Depends: v (>= 1)', 'p 1 ; Provides: v (= 2)')
    assert.deepEqual(await resolved({ packages: ['a'] }, versioned), ['a 1 recipe', 'p 1 a'])
  })

  it('leaves out what is excluded, and says who asked for it', async () => {
    const main = index('main', 'a 1 ; Depends: b, scripts', 'b 1 ; Depends: scripts', 'scripts 1')
    const { excluded, packages } = await resolvePackages([main], {
      name: 'run:test',
      release: 'trixie',
      arch: 'amd64',
      packages: ['a'],
      exclude: ['scripts'],
    })
    assert.deepEqual(excluded, { scripts: ['a', 'b'] })
    assert.deepEqual(
      packages.map(({ name }) => name),
      ['a', 'b'],
    )
  })

  it('passes over other architectures, and takes packages for all', async () => {
    const main = index('main', 'a 2 ; Architecture: arm64', 'a 1 ; Depends: b', 'b 1 ; Architecture: all')
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'b 1 a'])
  })

  it('ignores architecture qualifiers, and ends where packages depend on each other', async () => {
    const main = index('main', 'a 1 ; Depends: b:any', 'b 1 ; Depends: a (= 1)')
    assert.deepEqual(await resolved({ packages: ['a'] }, main), ['a 1 recipe', 'b 1 a'])
  })

  it('fails on every fault of the result, with names and versions', async () => {
    const conflicts = index('main', 'a 1 ; Depends: b, c', 'b 1 ; Conflicts: v', 'c 1 ; Provides: v')
    await assert.rejects(resolved({ packages: ['a'] }, conflicts), {
      code: 'BASE_UNSATISFIED',
      why: /b 1 cannot be beside c 1 \(v\)/,
    })
    const breaks = index('main', 'a 1 ; Breaks: b (<< 2)', 'b 1')
    await assert.rejects(resolved({ packages: ['a', 'b'] }, breaks), {
      code: 'BASE_UNSATISFIED',
      why: /b \(<< 2\)/,
    })
    const fine = index('main', 'a 1 ; Breaks: b (<< 2) ; Provides: a-thing ; Conflicts: a-thing', 'b 2')
    assert.equal((await resolved({ packages: ['a', 'b'] }, fine)).length, 2)
  })

  it('says which package is nowhere, and who needs it', async () => {
    const main = index('main', 'a 1 ; Depends: b (>= 2) | c', 'b 1')
    await assert.rejects(resolved({ packages: ['a'] }, main), {
      code: 'BASE_PACKAGE_MISSING',
      why: /b \(>= 2\) or c, which a needs/,
    })
    await assert.rejects(resolved({ packages: ['nix'] }, main), { code: 'BASE_PACKAGE_MISSING', why: /nix/ })
  })
})
