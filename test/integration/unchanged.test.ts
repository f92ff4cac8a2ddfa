import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkout, type Story, story } from '../support/cli.ts'

const NOTHING = /^Nothing changed/m

/** Files are trusted once they are older than two seconds. */
const settle = () => sleep(2100)

async function build(place: Story, ...words: string[]) {
  const { code, stdout, stderr } = await place.slipway([
    'build',
    'same',
    '--path',
    join(place.directory, 'app'),
    ...words,
  ])
  assert.equal(code, 0, stderr)
  return { digest: stdout.trim(), skipped: NOTHING.test(stderr), stderr }
}

/** Says what differs, should one build not give the image of the other. */
async function isImage(place: Story, found: string, expected: string, when: string): Promise<void> {
  if (found === expected) return
  const { stdout, stderr } = await place.slipway(['diff', `same@${expected}`, `same@${found}`])
  assert.equal(found, expected, `${when}: another image\n${stdout}${stderr}`)
}

function openApp(): Story {
  const place = story()
  cpSync(join(checkout, 'samples/shell/procfile'), join(place.directory, 'app'), { recursive: true })
  place.own('app')
  return place
}

describe('a build of what was built before', () => {
  it('starts no buildpack, and gives the same image and any new name', async () => {
    using place = openApp()
    await settle()
    const first = await build(place)
    assert.equal(first.skipped, false)
    const second = await build(place)
    assert.deepEqual([second.digest, second.skipped], [first.digest, true])
    assert.doesNotMatch(second.stderr, /BUILDING/)
    const tagged = await build(place, '--tag', 'same:again')
    assert.equal(tagged.skipped, true)
    assert.match((await place.slipway(['images'])).stdout, /same:again/)
  })

  it('runs whenever anything that counts is another', async () => {
    using place = openApp()
    const file = join(place.directory, 'app/watch.sh')
    const text = readFileSync(file, 'utf8')
    await settle()
    const { digest } = await build(place)
    const binding = join(place.directory, 'bindings/one')
    mkdirSync(binding, { recursive: true })
    writeFileSync(join(binding, 'type'), 'other\n')
    place.own('bindings')
    const axes: [string, string[]][] = [
      ['a variable', ['--env', 'A=1']],
      ['a binding', ['--binding', binding]],
      ['the default process', ['--default-process', 'once']],
      ['the launcher', ['--launcher', 'always']],
      ['the execution environment', ['--exec-env', 'test']],
      ['the cache', ['--clear-cache']],
      ['the run image', ['--run-image', 'slipway/run:base-previous']],
      ['named buildpacks', ['--buildpack', 'slipway/procfile']],
    ]
    for (const [what, words] of axes) {
      assert.equal((await build(place, ...words)).skipped, false, what)
      // Back to how it was, so that only the next axis differs from what is remembered.
      await isImage(place, (await build(place)).digest, digest, `back from ${what}`)
      assert.equal((await build(place)).skipped, true, `after ${what}`)
    }

    writeFileSync(file, text.replace('#', '%'))
    const changed = await build(place)
    assert.deepEqual([changed.skipped, changed.digest === digest], [false, false], 'a file of the same size')
    writeFileSync(file, text)
    const back = await build(place)
    await isImage(place, back.digest, digest, 'and back, at once')
    assert.equal(back.skipped, false)

    await settle()
    await build(place)
    await place.slipway(['rebase', 'same', '--run-image', 'slipway/run:base-previous'])
    assert.equal((await build(place)).skipped, false, 'an image that was rebased meanwhile')
    await place.slipway(['rm', 'same'])
    assert.equal((await build(place)).skipped, false, 'an image that is gone')
    writeFileSync(join(place.directory, 'app/new'), '')
    assert.equal((await build(place)).skipped, false, 'a new file')
  })

  it('never rests on a file that changed too lately to tell', async () => {
    using place = openApp()
    const first = await build(place)
    const file = join(place.directory, 'app/watch.sh')
    writeFileSync(file, readFileSync(file, 'utf8').replace('#', '%'))
    const second = await build(place)
    assert.equal(second.skipped, false)
    assert.notEqual(second.digest, first.digest)
  })
})
