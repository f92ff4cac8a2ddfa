import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkout, story } from '../support/cli.ts'

/**
 * Runs what the documentation tells people to type: every fence that opens with ```sh test, page by page, in order, as an ordinary user in
 * a directory that looks like a checkout.
 */
const pages = ['README.md', ...readdirSync(join(checkout, 'docs')).map(name => `docs/${name}`)]
  .filter(name => name.endsWith('.md'))
  .sort()

function commandsOf(page: string): string[] {
  const text = readFileSync(join(checkout, page), 'utf8')
  return [...text.matchAll(/^```sh test\n([\s\S]*?)^```$/gm)].map(match => match[1] as string)
}

describe('documentation', () => {
  for (const page of pages) {
    const blocks = commandsOf(page)
    if (blocks.length === 0) continue
    it(`${page} has commands that work`, async () => {
      using place = story()
      symlinkSync(join(checkout, 'slipway'), join(place.directory, 'slipway'))
      cpSync(join(checkout, 'samples'), join(place.directory, 'samples'), { recursive: true })
      place.own('samples')
      for (const block of blocks) {
        const { code, stdout, stderr } = await place.run('sh', ['-eu'], { stdin: block })
        assert.equal(code, 0, `${block}\n${stdout}\n${stderr}`)
      }
    })
  }

  it('has commands to run at all', () => {
    assert.ok(pages.flatMap(commandsOf).length >= 3)
  })
})
