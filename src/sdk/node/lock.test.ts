import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { componentsOfNpmLock, readNpmLock } from './lock.ts'
import { readNodePackage, wantsPackages } from './package.ts'

const here = { os: 'linux', arch: 'amd64' } as const

async function inDirectory<Result>(
  files: Readonly<Record<string, unknown>>,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  await using directory = await temporaryDirectory(tmpdir())
  for (const [name, value] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true })
    await writeFile(join(directory.path, name), typeof value === 'string' ? value : JSON.stringify(value))
  }
  return await work(directory.path)
}

const namesIn = (directory: string) =>
  readNpmLock(directory).then(lock =>
    componentsOfNpmLock(lock ?? assert.fail(), here).map(({ purl }) => purl),
  )

describe('the lock file of npm', () => {
  it('tells what the image gets: each version once, not of development, not for other machines, no workspaces', () =>
    inDirectory(
      {
        'package-lock.json': {
          lockfileVersion: 3,
          packages: {
            '': { name: 'app', version: '1.0.0' },
            'packages/a': { name: '@acme/a', version: '1.0.0' },
            'node_modules/@acme/a': { resolved: 'packages/a', link: true },
            'node_modules/hono': {
              version: '4.1.0',
              license: 'MIT',
              integrity: `sha512-${'A'.repeat(86)}==`,
            },
            'node_modules/other/node_modules/hono': { version: '4.1.0' },
            'node_modules/@scope/name': { version: '2.0.0' },
            'node_modules/alias': { name: 'real', version: '3.0.0' },
            'node_modules/typescript': { version: '5.0.0', dev: true },
            'node_modules/both': { version: '1.0.0', devOptional: true },
            'node_modules/mac': { version: '1.0.0', optional: true, os: ['darwin'] },
            'node_modules/arm': { version: '1.0.0', optional: true, cpu: ['arm64'] },
            'node_modules/not-windows': { version: '1.0.0', os: ['!win32'] },
          },
        },
      },
      async directory => {
        assert.deepEqual(await namesIn(directory), [
          'pkg:npm/%40scope/name@2.0.0',
          'pkg:npm/both@1.0.0',
          'pkg:npm/hono@4.1.0',
          'pkg:npm/not-windows@1.0.0',
          'pkg:npm/real@3.0.0',
        ])
        const lock = (await readNpmLock(directory)) ?? assert.fail()
        const hono = componentsOfNpmLock(lock, here).find(({ name }) => name === 'hono')
        assert.deepEqual([hono?.licenses, hono?.hashes], [['MIT'], { 'SHA-512': '0'.repeat(128) }])
      },
    ))

  it('is read in its first version too, and npm-shrinkwrap.json comes before package-lock.json', () =>
    inDirectory(
      {
        'package-lock.json': '{}',
        'npm-shrinkwrap.json': {
          lockfileVersion: 1,
          dependencies: {
            a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } },
            c: { version: 'git+https://example.org/c.git#1234' },
            d: { version: '1.0.0', dev: true },
          },
        },
      },
      async directory => assert.deepEqual(await namesIn(directory), ['pkg:npm/a@1.0.0', 'pkg:npm/b@2.0.0']),
    ))

  it('is refused where it is none', async () => {
    await inDirectory({ 'package-lock.json': '{' }, directory =>
      assert.rejects(readNpmLock(directory), { code: 'JSON_MALFORMED' }),
    )
    await inDirectory({ 'package-lock.json': '3' }, directory =>
      assert.rejects(readNpmLock(directory), { code: 'DOCUMENT_INVALID' }),
    )
    assert.equal(await inDirectory({}, readNpmLock), undefined)
  })
})

describe('package.json', () => {
  it('is read with whatever npm would overlook', () =>
    inDirectory(
      {
        'package.json': '\uFEFF{"main": 1, "scripts": "x", "engines": {"node": ">=20"}, "dependencies": {}}',
      },
      async directory => {
        const read = (await readNodePackage(directory)) ?? assert.fail()
        assert.deepEqual([read.main, read.scripts, read.engines], [undefined, {}, { node: '>=20' }])
        assert.ok(!wantsPackages(read))
        assert.ok(wantsPackages({ ...read, devDependencies: { a: '1' } }))
        assert.ok(wantsPackages({ ...read, workspaces: ['packages/*'] }))
      },
    ))

  it('is refused where it is no JSON', async () => {
    await inDirectory({ 'package.json': '<a/>' }, directory =>
      assert.rejects(readNodePackage(directory), { code: 'JSON_MALFORMED' }),
    )
    assert.equal(await inDirectory({}, readNodePackage), undefined)
  })
})
