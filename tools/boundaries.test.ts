import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'

const from = /^(?:import|export)\b[^'"]*?\bfrom ['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gms

describe('boundaries', () => {
  for (const area of readdirSync('src')) {
    it(`${area} imports only what its tsconfig.json references, and only by the front door`, () => {
      const { references } = JSON.parse(readFileSync(join('src', area, 'tsconfig.json'), 'utf8'))
      const allowed = new Set(references.map((reference: { path: string }) => `#${basename(reference.path)}`))
      const files = readdirSync(join('src', area), { recursive: true, encoding: 'utf8' }).filter(file =>
        file.endsWith('.ts'),
      )

      for (const file of files) {
        const path = join('src', area, file)
        for (const [, direct, lazy] of readFileSync(path, 'utf8').matchAll(from)) {
          const target = (direct ?? lazy) as string
          if (target === '#support' && file.endsWith('.test.ts')) continue
          if (target.startsWith('#')) {
            assert.ok(allowed.has(target), `${path} imports ${target}, which ${area} does not reference`)
          }
          const forTests = /\.(?:test|testing)\.ts$/
          if (target.startsWith('.') && !forTests.test(file)) {
            const place = relative(join('src', area), resolve(path, '..', target))
            assert.ok(!place.startsWith('..'), `${path} leaves ${area}: use the # name`)
            assert.ok(!forTests.test(target), `${path} imports ${target}, which is for tests`)
          }
        }
      }
    })
  }
})
