import assert from 'node:assert/strict'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildpack, files, greeting, imageName } from '../support/buildpack.ts'
import { type Story, story } from '../support/cli.ts'

/** A launch layer that the buildpack makes anew when the app's `wish` is another, and leaves alone otherwise. */
const WISHES = `wish=$(cat wish)
if ! grep -q "wish = \\"$wish\\"" "$CNB_LAYERS_DIR/granted.toml" 2>/dev/null; then
  mkdir -p "$CNB_LAYERS_DIR/granted"
  printf '%s' "$wish" >"$CNB_LAYERS_DIR/granted/wish"
fi
printf '[types]\\nlaunch = true\\n[metadata]\\nwish = "%s"\\n' "$wish" >"$CNB_LAYERS_DIR/granted.toml"
cat >"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "web"
command = ["cat"]
args = ["greeting"]
default = true
END
`

/** A name of this run: what is built a second time in one state is not built for the first time. */
const SHIP = imageName()
let place: Story
let words: string[]
before(async () => {
  place = story()
  words = ['--path', greeting(place), ...buildpack(place, 'wishes', { build: WISHES })]
  files(place, 'app', { wish: 'wind' })
  words.push(...buildpack(place, 'picky', { detect: 'echo "no sextant"; exit 100' }))
})
after(async () => {
  await place.slipway(['rm', `${SHIP}:first`])
  place[Symbol.dispose]()
})

const run = async (...given: string[]) => {
  const { code, stdout, stderr } = await place.slipway(given)
  assert.equal(code, 0, stderr)
  return stdout
}
const json = async (...given: string[]) => JSON.parse(await run(...given, '--json'))
const reasonsOf = (explained: { layers: { kind: string; name?: string; reason: string }[] }) =>
  Object.fromEntries(explained.layers.map(({ kind, name, reason }) => [name ?? kind, reason]))

describe('explain and diff', () => {
  it('say of a first build that all is new, and which buildpacks were left out', async () => {
    const { code, stderr } = await place.slipway(['build', SHIP, ...words])
    assert.equal(code, 20, 'a buildpack that is needed does not fit')
    assert.match(stderr, /no sextant/)
    words.splice(words.lastIndexOf('--buildpack'))
    await run('build', SHIP, ...words)
    const explained = await json('explain', SHIP)
    assert.deepEqual(
      explained.buildpacks.map(({ id }: { id: string }) => id),
      ['story/wishes'],
    )
    assert.equal(explained.detection.chosen_by, '--buildpack')
    assert.deepEqual(reasonsOf(explained), {
      base: 'base',
      'base-sbom': 'base',
      'story/wishes:granted': 'first',
      sbom: 'first',
      app: 'first',
      config: 'first',
    })
    await run('tag', SHIP, `${SHIP}:first`)
  })

  it('say what was kept and what changed, and in which file', async () => {
    appendFileSync(join(place.directory, 'app/greeting'), 'again\n')
    await run('build', SHIP, ...words)
    const explained = await json('explain', SHIP)
    assert.equal(reasonsOf(explained)['story/wishes:granted'], 'kept')
    assert.equal(reasonsOf(explained).app, 'changed')
    const app = explained.layers.find(({ kind }: { kind: string }) => kind === 'app')
    assert.deepEqual(
      app.files.map(({ path, differences }: { path: string; differences: string[] }) => [
        path,
        ...differences,
      ]),
      [['/workspace/greeting', 'content']],
    )
    const text = await run('explain', SHIP)
    assert.match(text, /story\/wishes:granted +\S+ \S+ +reused: its buildpack left it as it was/)
    assert.match(text, /~ +\/workspace\/greeting +content/)
  })

  it('say with which metadata a buildpack made its layer again', async () => {
    files(place, 'app', { wish: 'rain' })
    await run('build', SHIP, ...words)
    const explained = await json('explain', SHIP)
    const layer = explained.layers.find(({ name }: { name?: string }) => name === 'story/wishes:granted')
    assert.equal(layer.reason, 'changed')
    assert.deepEqual(layer.metadata, [{ name: 'wish', before: 'wind', after: 'rain' }])
    assert.deepEqual(
      layer.files.map(({ path }: { path: string }) => path),
      ['/layers/story_wishes/granted/wish'],
    )
  })

  it('hold any two images against each other, wherever they are', async () => {
    await run('copy', SHIP, 'oci:elsewhere:1')
    const found = await json('diff', `${SHIP}:first`, 'oci:elsewhere:1')
    assert.deepEqual(
      found.files.map(({ path, change }: { path: string; change: string }) => [path, change]),
      [
        ['/layers/story_wishes/granted/wish', 'changed'],
        ['/workspace/greeting', 'changed'],
        ['/workspace/wish', 'changed'],
      ],
    )
    assert.deepEqual(found.packages, [])
    assert.deepEqual(found.environment, [])
    assert.ok(
      found.labels.some(
        ({ name, before, after }: Record<string, string>) =>
          name?.endsWith('.layers.granted.data.wish') && before === 'wind' && after === 'rain',
      ),
      JSON.stringify(found.labels),
    )
    assert.equal((await run('diff', SHIP, 'oci:elsewhere:1')).trim(), 'No difference.')
  })

  it('take images by their digests, with a name before them and without', async () => {
    const { digest } = (await json('inspect', SHIP)).local_info
    for (const reference of [digest, `${SHIP}@${digest}`]) {
      assert.equal((await run('diff', reference, SHIP)).trim(), 'No difference.')
      assert.deepEqual((await json('explain', reference)).layers, (await json('explain', SHIP)).layers)
      assert.equal(await run('run', reference), await run('run', SHIP))
      await run('copy', reference, 'oci:by-digest:1')
      assert.equal((await run('diff', 'oci:by-digest:1', SHIP)).trim(), 'No difference.')
    }
  })

  it('end with 1 where they differ and that is asked for, and say what is missing', async () => {
    assert.equal((await place.slipway(['diff', `${SHIP}:first`, SHIP, '--exit-code'])).code, 1)
    assert.equal((await place.slipway(['diff', SHIP, SHIP, '--exit-code'])).code, 0)
    const { code, stderr } = await place.slipway(['diff', SHIP, 'compare/none'])
    assert.equal(code, 3)
    assert.match(stderr, /compare\/none/)
    const wrong = await place.slipway(['diff', SHIP, SHIP, '--only', 'moods'])
    assert.equal(wrong.code, 2)
  })

  it('explain an image of another machine by the image that it is held against', async () => {
    rmSync(join(place.home, 'exports/records'), { recursive: true })
    assert.match(await run('explain', SHIP), /it was not built here/)
    const explained = await json('explain', SHIP, '--against', `${SHIP}:first`)
    assert.equal(reasonsOf(explained)['story/wishes:granted'], 'changed')
    assert.equal(reasonsOf(explained).config, 'same')
  })
})
