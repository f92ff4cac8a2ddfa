import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { buildpack, built, files, imageName, inWords } from '../support/buildpack.ts'
import { type Story, story } from '../support/cli.ts'
import { startDocker, type TestDocker } from '../support/docker.ts'

/** Images into and out of a real Docker daemon, started by hand; where none can run, only what is said without one. */

let place: Story
let docker: TestDocker | undefined
let missing: string | undefined
before(async () => {
  place = story()
  const started = await startDocker({ open: true })
  if (typeof started === 'string') missing = started
  else docker = started
  files(place, 'app', { greeting: 'hi\n' })
  files(place, 'changed', { greeting: 'hello\n' })
})
after(async () => {
  await docker?.[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const options = () => ({ env: { DOCKER_HOST: docker?.host ?? '' } })

async function slipway(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(words, options())
  assert.equal(code, 0, `${words.join(' ')}\n${stdout}\n${stderr}`)
  return stdout.trim()
}

describe('build --output docker-daemon', { concurrency: false }, () => {
  it('loads the image under all of its names; the report names it by its ID', async t => {
    if (!docker) return t.skip(missing)
    const words = ['--path', 'app', ...buildpack(place, 'plain'), '--output', 'docker-daemon']
    const { digest, said } = await built(
      place,
      ['daemon/app', ...words, '--tag', 'daemon/app:2', '--report-output-dir', 'report'],
      options(),
    )
    assert.match(said, /Adding layer|Added 1\/1 app layer/)
    const ids = await docker.docker('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')
    assert.deepEqual(ids.trim().split('\n').sort(), [`daemon/app:2 ${digest}`, `daemon/app:latest ${digest}`])
    const { stdout } = await place.run('cat', ['report/report.toml'])
    assert.match(stdout, new RegExp(`image-id = "${digest}"`))
    assert.doesNotMatch(stdout, /^digest/m)
    assert.equal(await docker.docker('run', '--rm', '--network', 'none', 'daemon/app'), 'hi\n')
  })

  it('takes the layers again that the daemon has', async t => {
    if (!docker) return t.skip(missing)
    const words = [...buildpack(place, 'plain'), '--output', 'docker-daemon']
    const { said } = await built(place, ['daemon/app', '--path', 'app', ...words], options())
    assert.match(said, /Reused 1\/1 app layer/)
    const changed = await built(place, ['daemon/app', '--path', 'changed', ...words], options())
    assert.match(changed.said, /Added 1\/1 app layer/)
    assert.equal(await docker.docker('run', '--rm', '--network', 'none', 'daemon/app'), 'hello\n')
  })

  it('is the image that a build into the store makes, and copies keep its ID', async t => {
    if (!docker) return t.skip(missing)
    const name = imageName()
    await built(place, [name, '--path', 'changed', ...buildpack(place, 'plain')])
    const id = (await docker.docker('images', '--no-trunc', '--quiet', 'daemon/app:latest')).trim()
    assert.equal(await slipway('copy', name, 'docker-daemon:daemon/copied:1'), id)
    const back = await slipway('copy', 'docker-daemon:daemon/copied:1', `${name}:copy`)
    assert.match(await slipway('inspect', name), new RegExp(back))
    assert.match(await slipway('inspect', 'docker-daemon:daemon/app'), new RegExp(`Digest: ${id}`))
    inWords(await place.slipway(['copy', 'docker-daemon:daemon/nothing', 'x'], options()), 3)
  })
})

describe('where no daemon is', () => {
  it('it is said where one was looked for', async () => {
    const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' }
    const said = inWords(await place.slipway(['copy', 'docker-daemon:x', 'x'], { env }), 1)
    assert.match(said, /\/nowhere\/docker\.sock/)
    inWords(await place.slipway(['copy', 'docker-daemon:x', 'x'], { env: { DOCKER_HOST: 'ssh://x' } }), 3)
  })
})
