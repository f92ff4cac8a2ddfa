import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildpack, files, imageName } from '../support/buildpack.ts'
import { type Story, story } from '../support/cli.ts'
import { startCraneRegistry, type TestRegistry } from '../support/registry.ts'

/**
 * A layer with a file of gigabytes on its way through everything, in little memory. `SLIPWAY_STREAM_GIB` says how many; by default 2, because each is hashed three times, packed once
 * and unpacked once, which for 8 takes two cores more than a minute.
 */
const GIB = Number(process.env.SLIPWAY_STREAM_GIB ?? 2)
/** Megabytes that a process may have at most, of all that it ever had. */
const MOST = 256

let place: Story
let registry: TestRegistry | undefined
let missing: string | undefined
before(async () => {
  place = story()
  const started = await startCraneRegistry()
  if (typeof started === 'string') missing = started
  else registry = started
  files(place, 'app', { greeting: 'hi\n' })
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

/** A file of zeros that takes no room on disk. */
const SPARSE = {
  build: `mkdir -p "$CNB_LAYERS_DIR/large"
truncate -s ${GIB}G "$CNB_LAYERS_DIR/large/zeros"
printf '[types]\\nlaunch = true\\n' >"$CNB_LAYERS_DIR/large.toml"
cat >"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "web"
command = ["cat"]
args = ["greeting"]
default = true
END`,
}

async function slipway(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway([...words, '--verbose'])
  assert.equal(code, 0, `${words.join(' ')}\n${stdout}\n${stderr}`)
  const used = Number(/At most (\d+) MB of memory/.exec(stderr)?.[1])
  assert.ok(used > 0 && used <= MOST, `slipway ${words[0]} needed ${used} MB`)
  return stdout.trim()
}

describe('an image of gigabytes', { concurrency: false }, () => {
  it('is built and pushed, pulled, and copied on in little memory', async t => {
    if (!registry) return t.skip(missing)
    const [remote, local] = [`${registry.host}/team/large`, imageName()]
    const words = ['--path', 'app', '--publish', ...buildpack(place, 'sparse', SPARSE)]
    const digest = await slipway('build', remote, ...words)
    assert.equal(await slipway('copy', `docker://${remote}`, local), digest)
    assert.equal(await slipway('copy', `docker://${remote}`, `docker://${registry.host}/other/large`), digest)
    await slipway('copy', local, `docker-archive:${join(place.directory, 'large.tar')}`)
  })
})
