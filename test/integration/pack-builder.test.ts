import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Story, story } from '../support/cli.ts'
import { startDocker, type TestDocker } from '../support/docker.ts'
import { type ReferenceTools, referenceTools } from '../support/reference.ts'
import { startCraneRegistry, type TestRegistry } from '../support/registry.ts'

/**
 * `pack build` with a builder of ours, whose lifecycle is ours too: trusted (all phases in one container) and not (credentials and the daemon's socket only in some of five), into a
 * registry and into the daemon. Needs root for the daemon and Go for pack; passes reduced, and says so, without.
 */

const DETECT = '#!/bin/sh\n[ -f app.txt ]\n'
/** Tries to reach what only the lifecycle may reach, and makes a layer. */
const BUILD = `#!/bin/sh
echo "user $(id -u):$(id -g) $(id -G)"
for socket in /var/run/docker.sock; do [ -w "$socket" ] && echo "the daemon is within reach"; done
for process in /proc/[0-9]*; do
  grep -q REGISTRY_AUTH "$process/environ" 2>/dev/null && echo "credentials are within reach"
done
mkdir -p "$1/dep/bin" "$1/kept"
[ -f "$1/kept/stamp" ] && echo "kept came back"
echo one > "$1/kept/stamp"; printf '[types]\\ncache = true\\n' > "$1/kept.toml"
printf '#!/bin/sh\\necho "hello from $0: $(cat app.txt)"\\n' > "$1/dep/bin/hello"; chmod 755 "$1/dep/bin/hello"
printf '[types]\\nlaunch = true\\n' > "$1/dep.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["hello"]\\ndefault = true\\n' > "$1/launch.toml"
`

describe('pack with a builder of ours', () => {
  let place: Story
  let registry: TestRegistry
  let docker: TestDocker
  let tools: ReferenceTools
  let missing: string | undefined

  before(async () => {
    place = story()
    const found = [
      await referenceTools(['crane', 'pack']),
      await startCraneRegistry(),
      await startDocker(),
    ] as const
    for (const each of found) {
      if (typeof each === 'string') missing ??= each
    }
    if (typeof found[0] !== 'string') tools = found[0]
    if (typeof found[1] !== 'string') registry = found[1]
    if (typeof found[2] !== 'string') docker = found[2]
    if (missing === undefined) await makeBuilder()
  })
  after(async () => {
    await docker?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    place?.[Symbol.dispose]()
  })

  const image = (name: string) => `${registry.host}/${name}`
  const crane = (...words: string[]) => promisify(execFile)(tools.crane, words)
  const write = (path: string, content: string, mode = 0o644) => {
    const file = join(place.directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
  }

  /** A small builder: what images run on is enough for buildpacks of shell. */
  async function makeBuilder(): Promise<void> {
    const slipway = async (...words: string[]) => {
      const { code, stderr } = await place.slipway(words)
      assert.equal(code, 0, stderr)
    }
    await slipway('base', 'build', 'slipway/run:base')
    await slipway('copy', 'slipway/run:base', `docker://${image('run:1')}`)
    const user = ['--env', 'CNB_USER_ID=1001', '--env', 'CNB_GROUP_ID=1001', '--user', '1001:1001']
    await crane('mutate', image('run:1'), ...user, '-t', image('build:1'))
    write(
      'bp/buildpack.toml',
      'api = "0.12"\n[buildpack]\nid = "acme/hello"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n',
    )
    write('bp/bin/detect', DETECT, 0o755)
    write('bp/bin/build', BUILD, 0o755)
    write('app/app.txt', 'hi\n')
    write(
      'builder.toml',
      `[[buildpacks]]
uri = "bp"
[[order]]
[[order.group]]
id = "acme/hello"
version = "1.0.0"
[build]
image = "${image('build:1')}"
[[run.images]]
image = "${image('run:1')}"
`,
    )
    place.own('.')
    await slipway('builder', 'create', image('builder:1'), '--config', 'builder.toml', '--publish')
  }

  async function pack(...words: string[]): Promise<string> {
    const home = join(place.directory, 'pack-home')
    mkdirSync(home, { recursive: true })
    const env = { ...process.env, PACK_HOME: home, HOME: home, DOCKER_HOST: docker.host }
    const always = [
      '--no-color',
      '--network',
      'host',
      '--docker-host',
      'inherit',
      '--pull-policy',
      'if-not-present',
    ]
    const from = ['--builder', image('builder:1'), '--path', join(place.directory, 'app')]
    const options = { env, cwd: place.directory, maxBuffer: 1 << 26 }
    const { stdout, stderr } = await promisify(execFile)(
      tools.pack,
      ['build', ...words, ...from, ...always],
      options,
    )
    return stdout + stderr
  }

  const untrusted = () => ['--lifecycle-image', image('builder:1')]
  const modes: readonly [name: string, words: () => string[]][] = [
    ['trusted, into the daemon', () => ['local-app', '--trust-builder']],
    ['not trusted, into the daemon', () => ['local-app', ...untrusted()]],
    ['trusted, into a registry', () => [image('app'), '--publish', '--trust-builder']],
    ['not trusted, into a registry', () => [image('app'), '--publish', ...untrusted()]],
  ]
  for (const [index, [name, words]] of modes.entries()) {
    it(`builds, ${name}`, async t => {
      if (missing !== undefined) return t.diagnostic(`reduced: ${missing}`)
      const said = await pack(...words())
      assert.match(said, /user 1001:1001 1001\b/)
      assert.doesNotMatch(said, /within reach/)
      assert.match(said, /Successfully built image/)
      // The second of each pair goes on where the first left off.
      assert.equal(/kept came back/.test(said), index % 2 === 1, said)
      assert.equal(/Reusing layer 'acme\/hello:dep'/.test(said), index % 2 === 1, said)
    })
  }

  it('makes images that run, the same wherever they go', async t => {
    if (missing !== undefined) return t.diagnostic(`reduced: ${missing}`)
    const said = await docker.docker('run', '--rm', '--network', 'none', 'local-app')
    assert.equal(said, 'hello from /layers/acme_hello/dep/bin/hello: hi\n')
    const inRegistry = JSON.parse((await crane('config', image('app'))).stdout)
    const [inDaemon] = JSON.parse(await docker.docker('image', 'inspect', 'local-app'))
    assert.deepEqual(inDaemon.RootFS.Layers, inRegistry.rootfs.diff_ids)
  })
})
