import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseRun } from '#cnb'
import { silent, temporaryDirectory } from '#std'
import { buildTarget } from './build-target.ts'
import { withCredentials } from './credentials.ts'
import { creationTime } from './export-phase.ts'
import { ensureOwner, userVariables } from './identity.ts'
import { parseLogLevel, phaseLog } from './log.ts'
import { chooseMirror, chooseRunImage, runImageNames } from './run-image.ts'
import { runLifecycle } from './run-phase.ts'
import { LIFECYCLE_VERSION, SLIPWAY_VERSION } from './version.ts'

const run = async (program: string, words: readonly string[], environment: Record<string, string> = {}) => {
  const said: string[] = []
  const code = await runLifecycle({
    ...{ program, words, environment, workingDirectory: '/', signal: new AbortController().signal },
    print: text => void said.push(text.toString()),
    printUsage: text => void said.push(text),
    delegate: async () => 1,
  })
  return { code, said: said.join('') }
}

describe('a program of the lifecycle', () => {
  it('is told by its name or by a verb which phase it is', async () => {
    const environment = { CNB_PLATFORM_API: '0.15' }
    for (const [program, words] of [
      ['/cnb/lifecycle/analyzer', ['-version']],
      ['analyzer.mjs', ['--version']],
      ['lifecycle', ['analyze', '-version']],
    ] as const)
      assert.deepEqual(await run(program, words, environment), { code: 0, said: `${LIFECYCLE_VERSION}\n` })
    assert.deepEqual(await run('lifecycle', ['-version']), { code: 0, said: `${LIFECYCLE_VERSION}\n` })
    assert.equal((await run('lifecycle', [], environment)).code, 3)
    assert.match((await run('lifecycle', ['frobnicate'], environment)).said, /Name one of analyze, detect/)
  })

  it('speaks no Platform API that it does not know, whatever else is asked', async () => {
    for (const api of ['', '0.11', '1.0', 'x'])
      assert.equal((await run('creator', ['-version'], { CNB_PLATFORM_API: api })).code, 11, api)
  })

  it('shows what it takes after a flag that it does not', async () => {
    const { code, said } = await run('detector', ['-daemon'], { CNB_PLATFORM_API: '0.15' })
    assert.equal(code, 2)
    assert.match(said, /Usage of detector:[\s\S]*flag provided but not defined: -daemon/)
  })

  it('has the version that package.json has', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.equal(SLIPWAY_VERSION, version)
    assert.match(LIFECYCLE_VERSION, /^\d+\.\d+\.\d+\+slipway\.\d+\.\d+\.\d+$/)
  })
})

describe('what phases say', () => {
  it('has the prefixes that platforms know, and as much as was asked for', () => {
    const said = (level: string) => {
      const text: string[] = []
      const log = phaseLog(bytes => void text.push(bytes.toString()), parseLogLevel(level))
      log.phase('X')
      log.detail('detail')
      log.line('line \u001b[31m')
      log.warn('odd')
      log.error('bad')
      return text.join('')
    }
    assert.equal(said('debug'), '===> X\ndetail\nline \\u001b[31m\nWarning: odd\nERROR: bad\n')
    assert.equal(said('WARN'), 'Warning: odd\nERROR: bad\n')
    assert.equal(said('error'), 'ERROR: bad\n')
    assert.throws(() => said('loud'), { exitCode: 3 })
  })
})

describe('the run image of a build', () => {
  const [image] = parseRun(
    '[[images]]\nimage = "one.example/run:1"\nmirrors = ["two.example/run:1", "three.example/run:1"]',
    'run.toml',
  )
  const readable =
    (...names: string[]) =>
    async (name: string) =>
      names.some(each => name.startsWith(each))

  it('is the mirror beside the app image, if it can be read', async () => {
    assert.ok(image)
    const all = readable('one', 'two', 'three')
    assert.equal(await chooseMirror(image, 'two.example/app', all), 'two.example/run:1')
    assert.equal(await chooseMirror(image, 'elsewhere.example/app', all), 'one.example/run:1')
    assert.equal(await chooseMirror(image, 'two.example/app', readable('three')), 'three.example/run:1')
    await assert.rejects(chooseMirror(image, 'two.example/app', readable()), { exitCode: 3 })
    assert.equal(await chooseRunImage('named', [image], 'a.example/b', readable()), 'named')
    await assert.rejects(chooseRunImage(undefined, [], 'a.example/b', all), { exitCode: 3 })
  })

  it('is found again by the names of its entry', () => {
    assert.ok(image)
    const names = { image: 'one.example/run:1', mirrors: ['two.example/run:1', 'three.example/run:1'] }
    assert.deepEqual(runImageNames([image], 'three.example/run:1@sha256:0', false), names)
    assert.deepEqual(runImageNames([image], 'unlisted.example/run', false), names)
    assert.deepEqual(runImageNames([image], 'unlisted.example/run', true), { image: 'unlisted.example/run' })
    assert.equal(runImageNames([], 'one.example/run:1', false), undefined)
  })

  it('is completed by what the machine says of itself', () => {
    const release = 'NAME="x=y"\nID=debian\nVERSION_ID="13"\nODD=a=b\n'
    const whole = { os: 'linux', arch: 'arm64', distro: { name: 'alpine', version: '3' } }
    assert.deepEqual(buildTarget({ id: 'x', ...whole }, release, silent), whole)
    const found = buildTarget({ os: '', arch: 'arm64' }, release, silent)
    assert.deepEqual(found, { os: 'linux', arch: 'arm64', distro: { name: 'debian', version: '13' } })
    assert.equal(buildTarget({ os: 'linux', arch: 'arm64' }, '', silent).distro, undefined)
  })
})

describe('the surroundings of a phase', () => {
  it('have a time that is a number, or the usual one', () => {
    assert.deepEqual(
      ['0', '1700000000', '-1', 'noon', '1.5'].map(text => creationTime(text, silent)),
      [...[0, 1_700_000_000, -1, 315_532_801, 315_532_801]],
    )
    assert.equal(creationTime(undefined, silent), 315_532_801)
  })

  it('know the home of a user', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'passwd-')
    const file = join(directory.path, 'passwd')
    writeFileSync(file, 'root:x:0:0:root:/root:/bin/sh\ncnb:x:1001:1001::/home/cnb:/bin/sh\n')
    assert.deepEqual(await userVariables(1001, file), { HOME: '/home/cnb', USER: 'cnb' })
    assert.deepEqual(await userVariables(7, file), {})
    assert.deepEqual(await userVariables(7, '/nonexistent'), {})
  })

  it('leave alone what the user can write, and what is not there', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'owner-')
    const { uid, gid } = statSync(directory.path)
    mkdirSync(join(directory.path, 'in'))
    await ensureOwner({ uid, gid }, [directory.path, '/nonexistent', undefined])
    assert.equal(statSync(join(directory.path, 'in')).uid, uid)
  })

  it('keep the credentials that are needed, in the form that is passed on', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'docker-')
    const auth = Buffer.from('me:secret').toString('base64')
    const config = { auths: { 'one.example': { auth }, 'other.example': { auth } } }
    writeFileSync(join(directory.path, 'config.json'), JSON.stringify(config))
    const environment = { DOCKER_CONFIG: directory.path }
    const names = ['one.example/a', 'one.example/b:1', 'none.example/c']
    const found = await withCredentials(environment, names, assert.fail)
    assert.deepEqual(JSON.parse(found.CNB_REGISTRY_AUTH ?? ''), { 'one.example': `Basic ${auth}` })
  })
})
