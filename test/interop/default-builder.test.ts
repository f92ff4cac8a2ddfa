import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { checkout, type Story, story } from '../support/cli.ts'
import { startDocker, type TestDocker } from '../support/docker.ts'
import { type ReferenceTools, referenceTools } from '../support/reference.ts'
import { startDebianRegistry, type TestRegistry } from '../support/registry.ts'

const run = promisify(execFile)

/**
 * The builder that `slipway builder create` makes without being told anything, published, in the hands of `pack`: what people do who take slipway's
 * buildpacks but not its platform. The app is one that needs no network. Needs root for the daemon and Go for pack; is skipped, and says so, without.
 */
describe('our own builder with pack', () => {
  let place: Story
  let registry: TestRegistry
  let docker: TestDocker
  let tools: ReferenceTools
  let missing: string | undefined
  const path = join(checkout, 'samples/shell/procfile')

  before(async () => {
    const found = [await referenceTools(['pack']), await startDebianRegistry(), await startDocker()] as const
    for (const each of found) if (typeof each === 'string') missing ??= each
    if (typeof found[0] !== 'string') tools = found[0]
    if (typeof found[1] !== 'string') registry = found[1]
    if (typeof found[2] !== 'string') docker = found[2]
    if (missing !== undefined) return
    place = story()
    const { code, stderr } = await place.slipway(['builder', 'create', builder(), '--publish'])
    assert.equal(code, 0, stderr)
  })
  after(async () => {
    await docker?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    place?.[Symbol.dispose]()
  })

  const builder = () => `${registry.host}/slipway/builder`

  async function pack(...words: string[]): Promise<string> {
    const home = join(place.directory, 'pack-home')
    mkdirSync(home, { recursive: true })
    const env = { ...process.env, PACK_HOME: home, HOME: home, DOCKER_HOST: docker.host }
    const options = { env, cwd: place.directory, maxBuffer: 1 << 26 }
    const { stdout, stderr } = await run(tools.pack, ['--no-color', ...words], options)
    return stdout + stderr
  }
  const build = (name: string, ...words: string[]) =>
    pack(
      ...['build', name, '--builder', builder(), '--path', path, '--pull-policy', 'if-not-present'],
      ...['--network', 'host', '--docker-host', 'inherit', ...words],
    )
  const imageOf = async (name: string) => {
    const [image] = JSON.parse(await docker.docker('image', 'inspect', name))
    return { id: image.Id as string, layers: image.RootFS.Layers as string[] }
  }

  it('shows pack its buildpacks, their order and the run image beside it', async t => {
    if (missing !== undefined) return t.skip(missing)
    const { remote_info: seen } = JSON.parse(await pack('builder', 'inspect', builder(), '--output', 'json'))
    const ids = seen.buildpacks.map(({ id }: { id: string }) => id)
    for (const each of ['go', 'jdk', 'maven', 'npm', 'procfile', 'spring-boot'])
      assert.ok(ids.includes(`slipway/${each}`), each)
    assert.equal(seen.detection_order.length > 1, true)
    assert.deepEqual(
      seen.run_images.map(({ name }: { name: string }) => name),
      [`${builder()}-run:latest`],
    )
  })

  it('builds an app that runs', async t => {
    if (missing !== undefined) return t.skip(missing)
    assert.match(await build('watch', '--trust-builder'), /slipway\/procfile/)
    const said = await docker.docker('run', '--rm', '--network', 'none', '--entrypoint', 'once', 'watch')
    assert.match(said, /on watch, on Debian GNU\/Linux 13[\s\S]*lines written: 1/)
  })

  it('builds it again to the same image, trusted or not', async t => {
    if (missing !== undefined) return t.skip(missing)
    const first = await imageOf('watch')
    const again = await build('watch', '--trust-builder')
    assert.match(again, /Reused 1\/1 app layer/)
    assert.deepEqual(await imageOf('watch'), first)
    await build('watch', '--lifecycle-image', builder())
    assert.deepEqual(await imageOf('watch'), first)
  })

  it('builds with slipway too, which takes it as a file system', async t => {
    if (missing !== undefined) return t.skip(missing)
    const words = ['build', 'watch', '--path', path, '--builder', `docker://${builder()}`]
    const { code, stderr } = await place.slipway(words)
    assert.equal(code, 0, stderr)
    assert.match(stderr, /Procfile/)
  })
})
