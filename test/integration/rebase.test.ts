import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildpack, built, greeting, imageName, PLAIN, refused } from '../support/buildpack.ts'
import { type Finished, type Story, story } from '../support/cli.ts'

const LAYER = `mkdir "$CNB_LAYERS_DIR/a"; echo x >"$CNB_LAYERS_DIR/a/x"; printf '[types]\\nlaunch = true\\n' >"$CNB_LAYERS_DIR/a.toml"`

/** An image that the launcher starts, and one that needs none: a rebase has to treat both alike. */
for (const launcher of ['always', 'never']) {
  describe(`a rebase of an image (launcher: ${launcher})`, () => {
    it('changes the operating system alone, and back again', async () => {
      using place = story()
      await forgetBase(place)
      const name = imageName()
      const words = ['--launcher', launcher, ...buildpack(place, 'layered', { build: `${LAYER}\n${PLAIN}` })]
      const { digest } = await built(place, [name, '--path', greeting(place), ...words])
      const before = await inspect(place, name)
      const newer = await packages(place, name)

      await rebased(place, name, 'slipway/run:base-previous')
      const older = await packages(place, name)
      assert.deepEqual([...older.keys()], [...newer.keys()])
      const changed = [...newer].filter(([each, version]) => older.get(each) !== version)
      assert.ok(changed.length > 0, 'some packages differ')
      assert.ok(changed.length < newer.size / 2, 'and most do not')
      const after = await inspect(place, name)
      assert.notEqual(after.digest, digest)
      assert.deepEqual(after.app, before.app)
      assert.ok(after.app.length >= 3)
      assert.notDeepEqual(after.system, before.system)
      assert.equal((await place.slipway(['run', name])).stdout, 'Ahoy\n')

      await rebased(place, name, 'slipway/run:base')
      assert.equal((await inspect(place, name)).digest, digest)
    })

    it('to a base that does not fit is refused, and done with --force', async () => {
      using place = story()
      await forgetBase(place)
      const name = imageName()
      const words = ['--launcher', launcher, ...buildpack(place, 'plain')]
      const { digest } = await built(place, [name, '--path', greeting(place), ...words])
      const cases = [
        ['slipway/run:base-bookworm', /debian 13.*debian 12/],
        ['slipway/run:tiny', /run:tiny/],
      ] as const
      for (const [base, expected] of cases) {
        const said = await refused(place, 72, ['rebase', name, '--run-image', base])
        assert.match(said, expected)
        assert.match(said, /--force/)
        assert.equal((await inspect(place, name)).digest, digest)
        const forced = await place.slipway(['rebase', name, '--run-image', base, '--force'])
        assert.equal(forced.code, 0, forced.stderr)
        assert.match(forced.stderr, /Warning: /)
        await rebased(place, name, 'slipway/run:base', '--force')
        assert.equal((await inspect(place, name)).digest, digest)
      }
    })
  })
}

/** So that the name goes to the very base that the next build chooses, and stands for it until the end of the story. */
async function forgetBase(place: Story): Promise<void> {
  await place.slipway(['rm', 'slipway/run:base'])
}

describe('a rebase', () => {
  it('needs an image that buildpacks made, and a base that is there', async () => {
    using place = story()
    const name = imageName()
    await built(place, [name, '--path', greeting(place), ...buildpack(place, 'plain')])
    const cases: [words: string[], exitCode: number, expected: RegExp][] = [
      [['slipway/run:base', '--run-image', 'slipway/run:base-previous'], 72, /buildpacks/],
      [['nobody/has:this'], 3, /nobody\/has:this/],
      [[name, '--run-image', 'nobody/has:this'], 72, /nobody\/has:this/],
      [[name, '--run-image', 'slipway/run:no-such'], 72, /run:no-such/],
    ]
    for (const [words, exitCode, expected] of cases)
      assert.match(await refused(place, exitCode, ['rebase', ...words]), expected)
    const { code, stderr } = await place.slipway(['rebase', name])
    assert.equal(code, 0, stderr)
  })
})

async function rebased(place: Story, name: string, base: string, ...more: string[]): Promise<Finished> {
  const finished = await place.slipway(['rebase', name, '--run-image', base, ...more])
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

interface Inspection {
  readonly digest: string
  readonly system: readonly string[]
  readonly app: readonly string[]
}

async function inspect(place: Story, name: string): Promise<Inspection> {
  const { code, stdout, stderr } = await place.slipway(['inspect', name, '--json'])
  assert.equal(code, 0, stderr)
  const { digest, layers } = JSON.parse(stdout).local_info
  const kinds: { kind: string; diff_id: string; digest: string }[] = layers
  const of = (system: boolean) =>
    kinds
      .filter(({ kind }) => kind.startsWith('base') === system)
      .map(each => `${each.diff_id} ${each.digest}`)
  return { digest, system: of(true), app: of(false) }
}

/** Names and versions of the packages that an app finds when it looks. */
async function packages(place: Story, name: string): Promise<Map<string, string>> {
  const { stdout } = await place.slipway(['run', name, '--', '/var/lib/dpkg/status'])
  const found = stdout.matchAll(/^Package: (.*)\n(?:.+\n)*?Version: (.*)$/gm)
  return new Map([...found].map(([, each = '', version = '']) => [each, version]))
}
