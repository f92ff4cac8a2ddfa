import assert from 'node:assert/strict'
import { chmod, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type BuildMetadata, type LaunchProcess, parseBuildpackId, parseProcessType } from '#cnb'
import { type Problem, temporaryDirectory } from '#std'
import { factsOfTar, factsOfTree, type LaunchFacts, parseFacts } from './launch-facts.ts'
import { type LaunchSituation, launcherReasons, needsLauncher, plainStart } from './launcher-need.ts'
import { layerTar } from './layer-tar.ts'
import { makeTree, type Node } from './tree.testing.ts'
import { scanTree } from './tree.ts'

const id = parseBuildpackId('acme/bp', 'a test')

function processOf(type: string, change: Partial<LaunchProcess> = {}): LaunchProcess {
  return {
    type: parseProcessType(type, 'a test'),
    command: ['run'],
    args: [],
    direct: true,
    execEnv: [],
    buildpackId: id,
    ...change,
  }
}

function metadataOf(processes: LaunchProcess[], api: '0.8' | '0.10' = '0.10'): BuildMetadata {
  return { buildpacks: [{ id, version: '1.0.0', api }], extensions: [], labels: [], processes, slices: [] }
}

const NOTHING: LaunchFacts = {
  directories: [],
  executables: [],
  env: [],
  launchEnv: [],
  typeEnv: {},
  launcherFor: [],
}

function situation(change: Partial<LaunchSituation> = {}): LaunchSituation {
  return {
    metadata: metadataOf([processOf('web')]),
    defaultType: 'web',
    layers: [],
    hasProfile: false,
    ...change,
  }
}

/** The facts of a layer directory with these files, read from disk and from its tar. */
async function factsOf(files: Record<string, Node>): Promise<LaunchFacts> {
  await using directory = await temporaryDirectory(tmpdir(), 'facts-')
  await mkdir(join(directory.path, 'layer'))
  await chmod(join(directory.path, 'layer'), 0o755)
  await makeTree(join(directory.path, 'layer'), files)
  const place = { host: join(directory.path, 'layer'), inside: '/layers/acme_bp/dep' }
  const entries = await scanTree(place.host)
  const facts = await factsOfTree(place, entries)
  const tar = layerTar({ place, entries, parents: [], owner: { uid: 1, gid: 1 } })
  assert.deepEqual(await factsOfTar(tar, place.inside), facts)
  assert.deepEqual(parseFacts(JSON.stringify(facts), 'a test'), facts)
  return facts
}

describe('the facts of a launch layer', () => {
  it('are its path directories, programs and variables', async () => {
    const facts = await factsOf({
      'bin/run': { content: '', mode: 0o755 },
      'bin/notes.txt': '',
      'bin/also': { link: 'run' },
      'lib/x.so': '',
      'env/A': 'a\n',
      'env.build/B': 'not at launch',
      'env.launch/C.append': 'c',
      'env.launch/web/D': 'd',
      'env.launch/web/deep/E': 'not looked at',
      'env/sub/F': 'not looked at',
      'share/bin/other': { content: '', mode: 0o755 },
    })
    assert.deepEqual(facts, {
      directories: ['bin', 'lib'],
      executables: ['also', 'run'],
      env: [{ name: 'A', content: 'a\n' }],
      launchEnv: [{ name: 'C.append', content: 'c' }],
      typeEnv: { web: [{ name: 'D', content: 'd' }] },
      launcherFor: [],
    })
  })

  it('call for a launcher where programs run first, or where links would have to be followed', async () => {
    const rows: readonly [Record<string, Node>, RegExp][] = [
      [{ 'exec.d/helper': '' }, /exec\.d/],
      [{ 'exec.d/web/helper': '' }, /exec\.d/],
      [{ 'profile.d/x.sh': '' }, /profile\.d/],
      [{ 'env/SECRET': { link: '/etc/shadow' } }, /env\/SECRET is a link/],
      [{ 'env.launch/web/X': { link: '../../env/X' } }, /env\.launch\/web\/X/],
      [{ 'env/BYTES': { content: Buffer.from([0xff]) } }, /not UTF-8/],
      [{ 'env/LONG': { content: 'x'.repeat(70_000) } }, /more than 65536 bytes/],
      [{ bin: { link: 'jre/bin' } }, /bin is a link/],
    ]
    for (const [files, why] of rows) {
      const { launcherFor } = await factsOf(files)
      assert.equal(launcherFor.length, 1)
      assert.match(launcherFor[0] as string, why)
    }
    assert.deepEqual(
      (await factsOf({ 'exec.d': { directory: 0o755 }, 'profile.d/web': { directory: 0o755 } })).launcherFor,
      [],
    )
  })
})

describe('needsLauncher', () => {
  it('says no for direct processes', () => {
    assert.equal(needsLauncher('auto', situation()), false)
    assert.equal(needsLauncher('never', situation()), false)
    assert.equal(
      needsLauncher(
        'auto',
        situation({ metadata: metadataOf([processOf('web', { args: ['a'] }), processOf('worker')]) }),
      ),
      false,
    )
  })

  it('says yes where it is told to', () => assert.equal(needsLauncher('always', situation()), true))

  const typed = {
    inside: '/layers/acme_bp/dep',
    facts: { ...NOTHING, typeEnv: { web: [{ name: 'A', content: '1' }] } },
  }
  const rows: readonly [why: RegExp, change: Partial<LaunchSituation>][] = [
    [
      /the process web is started through a shell/,
      { metadata: metadataOf([processOf('web', { direct: false })]) },
    ],
    [
      /the process job is started through a shell/,
      { metadata: metadataOf([processOf('web'), processOf('job', { direct: false })]) },
    ],
    [/\.profile/, { hasProfile: true }],
    [
      /in \/layers\/acme_bp\/dep: exec\.d/,
      { layers: [{ inside: '/layers/acme_bp/dep', facts: { ...NOTHING, launcherFor: ['exec.d'] } }] },
    ],
    [
      /the process web has variables/,
      { metadata: metadataOf([processOf('web'), processOf('worker')]), layers: [typed] },
    ],
    [/no process is the default/, { metadata: metadataOf([]) }],
    [/is for test only/, { metadata: metadataOf([processOf('web', { execEnv: ['test'] })]) }],
    [/keeps its arguments a before/, { metadata: metadataOf([processOf('web', { args: ['a'] })], '0.8') }],
  ]
  for (const [why, change] of rows) {
    it(`says yes, or refuses, because ${why.source}`, () => {
      assert.equal(needsLauncher('auto', situation(change)), true)
      assert.throws(
        () => needsLauncher('never', situation(change)),
        (error: Problem) => error.code === 'LAUNCHER_NEEDED' && error.exitCode === 62 && why.test(error.why),
      )
    })
  }

  it('says no for variables of the only process, and of types that are no process', () => {
    assert.deepEqual(launcherReasons(situation({ layers: [typed] })), [])
    const none = { ...typed, facts: { ...NOTHING, typeEnv: { other: [{ name: 'A', content: '1' }] } } }
    assert.deepEqual(
      launcherReasons(
        situation({ metadata: metadataOf([processOf('web'), processOf('worker')]), layers: [none] }),
      ),
      [],
    )
  })
})

describe('plainStart', () => {
  const base = new Map([['PATH', '/usr/bin']])
  const jre = {
    inside: '/layers/acme_jdk/jre',
    facts: { ...NOTHING, directories: ['bin', 'lib'], executables: ['java'] },
  }

  it('resolves variables in the order of the launcher', () => {
    const of = (name: string, change: Partial<LaunchFacts>) => ({
      inside: `/layers/acme_bp/${name}`,
      facts: { ...NOTHING, ...change },
    })
    const layers = [
      of('a', {
        directories: ['bin'],
        env: [{ name: 'X', content: 'a' }],
        launchEnv: [{ name: 'X.append', content: '-launch' }],
      }),
      of('b', {
        directories: ['bin', 'lib'],
        env: [
          { name: 'X.append', content: '+b' },
          { name: 'PATH.prepend', content: '/b:' },
        ],
        typeEnv: { web: [{ name: 'Y', content: 'web' }], job: [{ name: 'Y', content: 'job' }] },
      }),
      jre,
    ]
    const { environment } = plainStart(situation({ layers }), base, '/workspace')
    assert.deepEqual(Object.fromEntries(environment), {
      PATH: '/layers/acme_jdk/jre/bin:/b:/layers/acme_bp/b/bin:/layers/acme_bp/a/bin:/usr/bin',
      X: 'a-launch+b',
      LD_LIBRARY_PATH: '/layers/acme_jdk/jre/lib:/layers/acme_bp/b/lib',
      Y: 'web',
    })
  })

  it('looks commands up in layers, as far as only layers come first', () => {
    const start = (command: string[], layers = [jre]) =>
      plainStart(
        situation({ metadata: metadataOf([processOf('web', { command, args: ['x'] })]), layers }),
        base,
        '/workspace',
      )
    assert.deepEqual(start(['java', '-jar']).entrypoint, ['/layers/acme_jdk/jre/bin/java', '-jar'])
    assert.deepEqual(start(['java']).cmd, ['x'])
    assert.deepEqual(start(['sh']).entrypoint, ['sh'])
    assert.deepEqual(start(['bin/start']).entrypoint, ['/workspace/bin/start'])
    assert.deepEqual(start(['/opt/start']).entrypoint, ['/opt/start'])
    const before = {
      ...jre,
      facts: {
        ...jre.facts,
        env: [
          { name: 'PATH.prepend', content: '/opt/unknown' },
          { name: 'PATH.delim', content: ':' },
        ],
      },
    }
    assert.deepEqual(start(['java'], [before]).entrypoint, ['java'])
  })

  it('starts in the working directory of the process', () => {
    const start = (workingDirectory: string) =>
      plainStart(
        situation({ metadata: metadataOf([processOf('web', { workingDirectory })]) }),
        base,
        '/workspace',
      ).workingDirectory
    assert.deepEqual(['/srv', 'sub'].map(start), ['/srv', '/workspace/sub'])
    assert.equal(plainStart(situation(), base, '/workspace').workingDirectory, '/workspace')
  })
})
