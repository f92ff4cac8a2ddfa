import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type TemporaryDirectory, temporaryDirectory } from '#std'
import { checkout, story } from '../support/cli.ts'
import { type PodOutcome, type PodRunner, podRunner } from '../support/pod.ts'
import { referenceTools } from '../support/reference.ts'
import { startCraneRegistry, type TestRegistry } from '../support/registry.ts'

/**
 * Our lifecycle inside a builder, run as a cluster runs a restricted pod. The builder's root file system is our base, and our lifecycle with its own Node.js; nothing of this
 * machine is in it. Passes reduced, and says so, where no container can be run.
 */

const USER = { uid: 1001, gid: 1001 }
const VOLUMES = ['layers', 'workspace', 'platform', 'tmp', 'cache']

/** Says what it may do, leaves a process behind, and makes a layer. */
const BUILD = `#!/bin/sh
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
id
touch /usr/x 2>&1; unshare -U true 2>&1
setsid sh -c 'while :; do echo alive > "$0/dep/alive"; sleep 0.01; done' "$1" > /dev/null 2>&1 &
mkdir -p "$1/dep/bin"; printf '[types]\\nlaunch = true\\ncache = true\\n' > "$1/dep.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\ndefault = true\\n' > "$1/launch.toml"
rm -f "$1/dep/alive"
[ -f "$1/dep/made" ] && echo "dep came back"
echo made > "$1/dep/made"
while [ ! -f "$1/dep/alive" ]; do :; done
`
const DETECT = {
  // Goes on while the other's run is ended.
  slow: '#!/bin/sh\nsleep 1\nexit 0\n',
  quick: '#!/bin/sh\nsetsid sleep 100 > /dev/null 2>&1 &\nexit 0\n',
}

describe('our lifecycle in a restricted pod', () => {
  let scratch: TemporaryDirectory
  let registry: TestRegistry
  let runner: PodRunner
  let missing: string | undefined
  let craneProgram = ''
  let shown: Record<string, string> = {}
  const at = (...path: string[]) => join(scratch.path, ...path)
  const write = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
    chmodSync(at(path), mode)
  }
  const volume = (name: string) => at('volumes', name)
  const own = (path: string) =>
    process.getuid?.() === 0 && execFileSync('chown', ['-R', `${USER.uid}:${USER.gid}`, path])

  before(async () => {
    scratch = await temporaryDirectory(tmpdir(), 'pod-')
    chmodSync(scratch.path, 0o755)
    const tools = await referenceTools(['crane'])
    const [found, opened] = [await podRunner(), await startCraneRegistry()]
    missing = [tools, found, opened].find(each => typeof each === 'string') as string | undefined
    if (missing !== undefined || typeof tools === 'string') return
    craneProgram = tools.crane
    runner = found as PodRunner
    registry = opened as TestRegistry
    await fillRoot()
    for (const name of VOLUMES) mkdirSync(volume(name), { recursive: true })
    write('volumes/workspace/app.txt', 'hi\n')
    own(at('volumes'))
    const probe = await run(['/bin/true'])
    if (probe.exitCode !== 0) missing = `containers do not run here: ${probe.output}`
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await scratch?.[Symbol.asyncDispose]()
  })

  /** The root file system of a builder: what is read-only in it stays where it is. */
  async function fillRoot(): Promise<void> {
    using place = story()
    const child = join(checkout, 'test/integration/pod-child.ts')
    const ended = await place.run(process.execPath, ['--import', 'tsx', child], { cwd: checkout })
    assert.equal(ended.code, 0, ended.stderr)
    const { base, files } = JSON.parse(ended.stdout) as {
      base: string
      files: { name: string; path: string }[]
    }
    for (const name of readdirSync(base)) {
      if (VOLUMES.includes(name) || ['proc', 'dev', 'cnb'].includes(name)) continue
      const path = join(base, name)
      mkdirSync(at('root'), { recursive: true })
      if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), at('root', name))
      else if (lstatSync(path).isDirectory()) shown[`/${name}`] = path
    }
    shown = { ...shown, ...Object.fromEntries(files.map(each => [`/cnb/lifecycle/${each.name}`, each.path])) }
    const members = ['slow', 'quick'].map(name => `[[order.group]]\nid = "acme/${name}"\nversion = "1.0.0"\n`)
    write('root/cnb/order.toml', `[[order]]\n${members.join('')}`)
    write('root/cnb/run.toml', `[[images]]\nimage = "${registry.host}/run:1"\n`)
    for (const [name, detect] of Object.entries(DETECT)) {
      const place = `root/cnb/buildpacks/acme_${name}/1.0.0`
      write(`${place}/buildpack.toml`, `api = "0.12"\n[buildpack]\nid = "acme/${name}"\nversion = "1.0.0"\n`)
      write(`${place}/bin/detect`, detect, 0o755)
      write(`${place}/bin/build`, name === 'quick' ? BUILD : '#!/bin/sh\n', 0o755)
    }
    crane('append', '--oci-empty-base', '-f', tarOf('root/cnb'), '-t', `${registry.host}/run:1`)
    crane('mutate', `${registry.host}/run:1`, '--set-platform', 'linux/amd64', '-t', `${registry.host}/run:1`)
  }

  function tarOf(path: string): string {
    execFileSync('tar', ['-C', at(path), '-cf', at('run.tar'), 'order.toml'])
    return at('run.tar')
  }

  function run(command: readonly string[]): Promise<PodOutcome> {
    const volumes = Object.fromEntries(VOLUMES.map(name => [`/${name}`, volume(name)]))
    const environment = {
      ...{ PATH: '/usr/bin:/bin', HOME: '/home/cnb', CNB_PLATFORM_API: '0.15' },
      ...{ CNB_USER_ID: String(USER.uid), CNB_GROUP_ID: String(USER.gid) },
    }
    return runner({ root: at('root'), command, environment, user: USER, volumes, shown }, at('bundle'))
  }

  const crane = (...words: string[]) => execFileSync(craneProgram, words, { encoding: 'utf8', stdio: 'pipe' })
  it('builds and publishes, first all at once and then phase by phase', async t => {
    if (missing !== undefined) return t.diagnostic(`reduced: ${missing}`)
    const name = `${registry.host}/app`
    const phase = async (program: string, ...words: string[]) => {
      const { exitCode, output } = await run([`/cnb/lifecycle/${program}`, ...words])
      assert.equal(exitCode, 0, output)
      return output
    }
    const said = await phase('creator', '-cache-dir', '/cache', name)
    assert.match(said, /CapBnd:\t0+\nCapEff:|CapEff:\t0+\nCapBnd:\t0+\n/)
    assert.match(said, /NoNewPrivs:\t1\n/)
    assert.match(said, /Seccomp:\t2\n/)
    assert.match(said, /uid=1001/)
    assert.match(said, /Read-only file system[\s\S]*unshare/)
    assert.doesNotMatch(said, /came back/)
    const digest = crane('digest', name)
    assert.deepEqual(JSON.parse(crane('config', name)).config.Entrypoint, ['/cnb/process/web'])

    rmSync(volume('layers'), { recursive: true })
    mkdirSync(volume('layers'))
    own(volume('layers'))
    await phase('analyzer', name)
    await phase('detector')
    await phase('restorer', '-cache-dir', '/cache')
    assert.match(await phase('builder'), /dep came back/)
    assert.match(await phase('exporter', '-cache-dir', '/cache', name), /Reused 1\/1 app layer/)
    assert.equal(crane('digest', name), digest)
    // Nothing is left of what was there for a moment.
    assert.deepEqual(readdirSync(volume('tmp')), [])
  })
})
