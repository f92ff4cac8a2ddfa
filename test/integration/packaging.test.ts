import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Story, story } from '../support/cli.ts'
import { type ReferenceTools, referenceTools } from '../support/reference.ts'
import { startCraneRegistry, type TestRegistry } from '../support/registry.ts'

const run = promisify(execFile)
const tools = await referenceTools(['pack', 'crane'])
const registry = typeof tools === 'string' ? tools : await startCraneRegistry()
const skip = typeof registry === 'string' ? registry : false
const host = typeof registry === 'string' ? '' : registry.host

const TARGET = '[[targets]]\nos = "linux"\narch = "amd64"\n'

let place: Story
let files: string

before(async () => {
  if (skip) return
  place = story({ fresh: true })
  files = join(place.directory, 'files')
  await layOut()
  place.own('files')
})
after(async () => {
  place?.[Symbol.dispose]()
  if (typeof registry !== 'string') await (registry as TestRegistry)[Symbol.asyncDispose]()
})

function write(path: string, text: string, mode = 0o644): void {
  const file = join(files, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode })
}

function writeBuildpack(name: string, more = '', version = '1.0.0'): void {
  write(
    `${name}/buildpack.toml`,
    `api = "0.10"\n[buildpack]\nid = "acme/${name}"\nversion = "${version}"\nname = "The <${name}>"\nhomepage = "https://example.com/${name}"\n${more}`,
  )
}

function writeScripts(name: string): void {
  for (const phase of ['detect', 'build']) write(`${name}/bin/${phase}`, '#!/bin/sh\nexit 0\n')
}

/** Buildpacks of every shape, a lifecycle (of which only the names matter here) and a base to build in. */
async function layOut(): Promise<void> {
  for (const name of ['one', 'two']) {
    writeBuildpack(name, TARGET)
    writeScripts(name)
  }
  const long = 'd'.repeat(90)
  write(`one/lib/${long}/${'e'.repeat(90)}/file`, 'deep')
  write('one/lib/a-b', 'x')
  write(`one/lib/a/ü-${'n'.repeat(100)}`, 'x')
  write('one/lib/tool', 'x', 0o711)
  linkSync(join(files, 'one/lib/tool'), join(files, 'one/lib/zz-hard'))
  symlinkSync('/etc/passwd', join(files, 'one/lib/sym'))
  writeBuildpack(
    'both',
    '[[order]]\n[[order.group]]\nid = "acme/one"\nversion = "1.0.0"\n[[order.group]]\nid = "acme/two"\nversion = "1.0.0"\noptional = true\n',
  )
  write(
    'package.toml',
    '[buildpack]\nuri = "both"\n[[dependencies]]\nuri = "one"\n[[dependencies]]\nuri = "two"\n',
  )
  for (const format of ['gnu', 'ustar'])
    await run('tar', [
      '-C',
      join(files, 'two'),
      `--format=${format}`,
      '-czf',
      join(files, `two-${format}.tgz`),
      '.',
    ])
  for (const name of ['analyzer', 'builder', 'creator', 'detector', 'exporter', 'launcher', 'restorer'])
    write(`life/lifecycle/${name}`, name, 0o755)
  write(
    'life/lifecycle.toml',
    '[apis.buildpack]\ndeprecated = []\nsupported = ["0.9", "0.10"]\n[apis.platform]\ndeprecated = []\nsupported = ["0.12", "0.13"]\n[lifecycle]\nversion = "0.20.4"\n',
  )
  await run('tar', [
    '-C',
    join(files, 'life'),
    '-czf',
    join(files, 'lifecycle.tgz'),
    'lifecycle.toml',
    'lifecycle',
  ])
  write('base/etc/os-release', 'ID=debian\nVERSION_ID=13\n')
  await run('tar', ['-C', join(files, 'base'), '-cf', join(files, 'base.tar'), 'etc'])
  for (const name of ['build', 'run']) {
    const reference = `${host}/base/${name}:1`
    await crane('append', '--oci-empty-base', '-f', join(files, 'base.tar'), '-t', reference)
    const settings = ['--env', 'CNB_USER_ID=1000', '--env', 'CNB_GROUP_ID=1001', '--user', '1000:1001']
    await crane('mutate', reference, '--set-platform', 'linux/amd64', ...settings, '-t', reference)
  }
}

async function crane(...words: string[]): Promise<string> {
  return (await run((tools as ReferenceTools).crane, words)).stdout
}

async function pack(...words: string[]): Promise<string> {
  const env = {
    ...process.env,
    PACK_HOME: join(place.directory, 'pack'),
    DOCKER_HOST: 'unix:///nowhere.sock',
  }
  const { stdout } = await run((tools as ReferenceTools).pack, words, { cwd: files, env, maxBuffer: 1 << 24 })
  return stdout
}

async function slipway(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.slipway(words, { cwd: files })
  assert.equal(code, 0, stderr)
  return stdout
}

async function refused(...words: string[]): Promise<string> {
  const { code, stderr } = await place.slipway(words, { cwd: files })
  assert.equal(code, 3, stderr)
  return stderr
}

/** The label of layers in a `.cnb`, by module, as diffIDs. */
async function diffIdsIn(file: string): Promise<Record<string, string>> {
  const { local_info } = JSON.parse(await slipway('buildpack', 'inspect', file, '--json'))
  const modules: { id: string; version: string; layer_diff_id: string }[] = local_info.buildpacks
  return Object.fromEntries(
    modules.map(({ id, version, layer_diff_id }) => [`${id}@${version}`, layer_diff_id]),
  )
}

interface Config {
  readonly rootfs: { readonly diff_ids: string[] }
  readonly config: {
    readonly Labels: Record<string, string>
    readonly WorkingDir: string
    readonly User: string
  }
}

async function configOf(reference: string): Promise<Config> {
  return JSON.parse(await crane('config', reference))
}

describe('packages of buildpacks', { skip }, () => {
  it("have pack's layers, from directories and from archives of every kind", async () => {
    for (const from of ['one', 'two', 'two-gnu.tgz', 'two-ustar.tgz']) {
      await pack(
        'buildpack',
        'package',
        `theirs-${from}.cnb`,
        '--format',
        'file',
        '-p',
        from,
        '-t',
        'linux/amd64',
      )
      await slipway(
        'buildpack',
        'package',
        `ours-${from}.cnb`,
        '--format',
        'file',
        '--path',
        from,
        '--target',
        'linux/amd64',
      )
      assert.deepEqual(await diffIdsIn(`ours-${from}.cnb`), await diffIdsIn(`theirs-${from}.cnb`), from)
    }
  })

  it('are the same bytes every time, and pack reads them as it reads its own', async () => {
    await slipway('buildpack', 'package', 'again.cnb', '-f', 'file', '-p', 'one', '-t', 'linux/amd64')
    assert.deepEqual(readFileSync(join(files, 'again.cnb')), readFileSync(join(files, 'ours-one.cnb')))
    const read = async (file: string) => (await pack('buildpack', 'inspect', file)).replaceAll(file, 'FILE')
    assert.equal(await read('ours-one.cnb'), await read('theirs-one.cnb'))
    assert.match(await slipway('buildpack', 'inspect', 'theirs-one.cnb'), /acme\/one {2}The <one> {2}1\.0\.0/)
  })

  it("hold several, and flattened ones share pack's layer", async () => {
    await pack('config', 'experimental', 'true')
    for (const flatten of [[], ['--flatten']]) {
      await pack('buildpack', 'package', 'theirs.cnb', '-f', 'file', '-c', 'package.toml', ...flatten)
      await slipway('buildpack', 'package', 'ours.cnb', '-f', 'file', '-c', 'package.toml', ...flatten)
      const theirs = await diffIdsIn('theirs.cnb')
      assert.deepEqual(await diffIdsIn('ours.cnb'), theirs)
      assert.equal(new Set(Object.values(theirs)).size, flatten.length > 0 ? 1 : 3)
    }
    const tree = await slipway('buildpack', 'inspect', 'ours.cnb')
    assert.match(
      tree,
      /└ acme\/both@1\.0\.0\n.*└ Group #1:\n.*├ acme\/one@1\.0\.0\n.*└ acme\/two@1\.0\.0 {2}\(optional\)/,
    )
  })

  it('go to a registry and to the store, and come from there', async () => {
    const reference = `${host}/acme/two:1`
    await slipway('buildpack', 'package', reference, '--path', 'two', '--publish')
    assert.match(
      await pack('buildpack', 'inspect', `docker://${reference}`).catch(error => error.stdout),
      /acme\/two/,
    )
    const platforms = ['linux/amd64', 'linux/arm64'].flatMap(target => ['--target', target])
    await slipway('buildpack', 'package', `${host}/acme/multi:1`, '--path', 'two', '--publish', ...platforms)
    const { manifests } = JSON.parse(await crane('manifest', `${host}/acme/multi:1`))
    assert.deepEqual(
      manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture),
      ['amd64', 'arm64'],
    )
    await slipway('buildpack', 'pull', reference)
    const { local_info, remote_info } = JSON.parse(await slipway('buildpack', 'inspect', reference, '--json'))
    assert.deepEqual(local_info, remote_info)
    const digest = (await crane('digest', reference)).trim()
    write(
      'index/3/tw/acme_two',
      `${JSON.stringify({ ns: 'acme', name: 'two', version: '1.0.0', yanked: false, addr: `${host}/acme/two@${digest}` })}\n`,
    )
    for (const [name, uri] of [
      ['registry', `docker://${reference}`],
      ['index', 'urn:cnb:registry:acme/two@1.0.0'],
      ['archive', 'theirs-two.cnb'],
    ] as const) {
      write(
        'mixed.toml',
        `[buildpack]\nuri = "both"\n[[dependencies]]\nuri = "file://${files}/one"\n[[dependencies]]\nuri = "${uri}"\n`,
      )
      const file = `mixed-${name}.cnb`
      await slipway('buildpack', 'package', file, '-f', 'file', '-c', 'mixed.toml', '-R', 'index')
      assert.equal(
        (await diffIdsIn(file))['acme/two@1.0.0'],
        (await diffIdsIn('theirs-two.cnb'))['acme/two@1.0.0'],
      )
    }
  })

  it('are refused with the place of the mistake', async () => {
    write('wrong.toml', '[buildpack]\nuri = "one"\nurl = "x"\n')
    assert.match(
      await refused('buildpack', 'package', 'x', '-c', 'wrong.toml'),
      /wrong\.toml[\s\S]*line 3, column 1: buildpack\.url/,
    )
    write('missing.toml', '[buildpack]\nuri = "both"\n[[dependencies]]\nuri = "one"\n')
    assert.match(
      await refused('buildpack', 'package', 'x', '-c', 'missing.toml'),
      /names acme\/two@1\.0\.0, which is not in the package/,
    )
    write('idle.toml', '[buildpack]\nuri = "one"\n[[dependencies]]\nuri = "two"\n')
    assert.match(
      await refused('buildpack', 'package', 'x', '-c', 'idle.toml'),
      /no order names acme\/two@1\.0\.0/,
    )
    assert.match(await refused('buildpack', 'package', 'x', '--path', 'life'), /it has no buildpack\.toml/)
    assert.match(await refused('buildpack', 'inspect', 'package.toml'), /Cannot package package\.toml/)
  })
})

describe('builders', { skip }, () => {
  const toml = (buildpacks: string) => `description = "a builder"
${buildpacks}
[[order]]
[[order.group]]
id = "acme/both"
[[order.group]]
id = "acme/two"
version = "1.0.0"
optional = true
[build]
image = "${host}/base/build:1"
[[build.env]]
name = "PATH"
value = "/opt"
suffix = "append"
delim = ":"
[[run.images]]
image = "${host}/base/run:1"
mirrors = ["${host}/base/mirror:1"]
[lifecycle]
uri = "lifecycle.tgz"
`
  const cases = {
    directories:
      '[[buildpacks]]\nuri = "both"\n[[buildpacks]]\nuri = "one"\n[[buildpacks]]\nid = "acme/two"\nuri = "two"\n',
    'a package of ours': '[[buildpacks]]\nuri = "ours.cnb"\n',
    'a package of pack': '[[buildpacks]]\nuri = "theirs.cnb"\n',
  }

  it("have pack's layers of buildpacks in its order, and its labels", async () => {
    for (const [name, buildpacks] of Object.entries(cases)) {
      write('builder.toml', toml(buildpacks))
      await pack('builder', 'create', `${host}/theirs:1`, '--publish', '-c', 'builder.toml')
      await slipway(
        'builder',
        'create',
        `${host}/ours:1`,
        '--publish',
        '-c',
        'builder.toml',
        '--label',
        'a=b',
      )
      const [theirs, ours] = [await configOf(`${host}/theirs:1`), await configOf(`${host}/ours:1`)]
      for (const label of [
        'io.buildpacks.buildpack.layers',
        'io.buildpacks.buildpack.order',
        'io.buildpacks.stack.mixins',
      ])
        assert.equal(ours.config.Labels[label], theirs.config.Labels[label], `${name}: ${label}`)
      const metadata = ({ config }: Config) =>
        JSON.parse(config.Labels['io.buildpacks.builder.metadata'] as string)
      assert.deepEqual({ ...metadata(ours), createdBy: 0 }, { ...metadata(theirs), createdBy: 0 }, name)
      assert.equal(ours.config.WorkingDir, theirs.config.WorkingDir)
      assert.equal(ours.config.Labels.a, 'b')
      assert.equal(ours.rootfs.diff_ids.length, theirs.rootfs.diff_ids.length, name)
      // The base, directories, buildpacks and the layer of variables; the lifecycle's archive keeps its owners with pack, and documents are printed in another way.
      const same = theirs.rootfs.diff_ids.map((diffId, index) => diffId === ours.rootfs.diff_ids[index])
      assert.deepEqual([...same.slice(0, 2), ...same.slice(3, 6), same.at(-1)], Array(6).fill(true), name)
    }
  })

  it('are read by both alike', async () => {
    const read = await pack('builder', 'inspect', `${host}/ours:1`)
    assert.match(read, /Description: a builder/)
    assert.match(read, /└ acme\/two@1\.0\.0 +\(optional\)/)
    const { remote_info } = JSON.parse(await slipway('builder', 'inspect', `${host}/theirs:1`, '--json'))
    assert.equal(remote_info.created_by.name, 'Pack CLI')
    assert.deepEqual(remote_info.run_images, [
      { name: `${host}/base/run:1` },
      { name: `${host}/base/mirror:1` },
    ])
    const own = JSON.parse(await slipway('builder', 'inspect', `docker://${host}/ours:1`, '--json'))
    assert.deepEqual({ ...own.remote_info, created_by: 0 }, { ...remote_info, created_by: 0 })
  })

  it('take buildpacks and lifecycle from a web server, and are then the same', async () => {
    const server = createServer(({ url = '' }, response) =>
      url === '/gone.cnb'
        ? response.writeHead(404).end()
        : response.end(readFileSync(join(files, basename(url)))),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      write('files.toml', toml('[[buildpacks]]\nuri = "ours.cnb"\n'))
      write(
        'web.toml',
        toml(`[[buildpacks]]\nuri = "${web}/ours.cnb"\n`).replace(
          '"lifecycle.tgz"',
          `"${web}/lifecycle.tgz"`,
        ),
      )
      const digest = await slipway('builder', 'create', 'team/files', '-c', 'files.toml')
      assert.equal(await slipway('builder', 'create', 'team/web', '-c', 'web.toml'), digest)
      write('web.toml', toml(`[[buildpacks]]\nuri = "${web}/gone.cnb"\n`))
      assert.match(await refused('builder', 'create', 'team/web', '-c', 'web.toml'), /gone\.cnb[\s\S]*404/)
    } finally {
      server.close()
    }
  })

  it('are the same image every time, also in the store', async () => {
    const digest = await slipway('builder', 'create', 'team/builder', '-c', 'builder.toml')
    assert.equal(await slipway('builder', 'create', 'team/builder', '-c', 'builder.toml'), digest)
    const { local_info } = JSON.parse(
      await slipway('builder', 'inspect', 'team/builder', '--json', '--pull-policy', 'never'),
    )
    assert.equal(local_info.created_by.name, 'slipway')
    await slipway(
      'builder',
      'create',
      'team/flat',
      '-c',
      'builder.toml',
      '--flatten',
      'acme/one@1.0.0,acme/two@1.0.0',
    )
    const flat = JSON.parse(await slipway('inspect', 'team/flat', '--json'))
    const plain = JSON.parse(await slipway('inspect', 'team/builder', '--json'))
    assert.equal(flat.local_info.layers.length, plain.local_info.layers.length - 1)
  })

  it('are refused where they could never work', async () => {
    write('b1.toml', toml(cases.directories).replace('description', 'descripton'))
    assert.match(await refused('builder', 'create', 'x', '-c', 'b1.toml'), /line 1, column 1: descripton/)
    write('b2.toml', toml('[[buildpacks]]\nuri = "both"\n'))
    assert.match(
      await refused('builder', 'create', 'x', '-c', 'b2.toml'),
      /acme\/both@1\.0\.0 needs acme\/one@1\.0\.0/,
    )
    write('b3.toml', toml(cases.directories.replace('"acme/two"', '"acme/three"')))
    assert.match(await refused('builder', 'create', 'x', '-c', 'b3.toml'), /builder\.toml says acme\/three/)
    write('b4.toml', toml(cases.directories).replace('lifecycle.tgz', 'two-gnu.tgz'))
    assert.match(await refused('builder', 'create', 'x', '-c', 'b4.toml'), /it has no lifecycle\.toml/)
    write('b5.toml', toml(cases.directories).replace('base/build:1', 'base/none:1'))
    assert.notEqual(
      (await place.slipway(['builder', 'create', 'x', '-c', 'b5.toml'], { cwd: files })).code,
      0,
    )
  })
})

describe('a new buildpack', { skip }, () => {
  it('takes part at once, builds, and can be packaged', async () => {
    for (const language of ['bash', 'typescript']) {
      const name = `new-${language}`
      await slipway('buildpack', 'new', `team/${name}`, '--language', language)
      const layers = join(files, `${name}-layers`)
      mkdirSync(layers)
      const [platform, plan] = [join(files, 'platform'), join(files, 'plan.toml')]
      mkdirSync(platform, { recursive: true })
      writeFileSync(plan, '')
      const env = { CNB_BUILDPACK_DIR: join(files, name), CNB_LAYERS_DIR: layers }
      for (const [phase, words] of Object.entries({
        detect: [platform, plan],
        build: [layers, platform, plan],
      })) {
        const program = join(files, name, 'bin', phase)
        const { code, stdout } = await place.run(program, words, {
          cwd: files,
          env,
          uid: process.getuid?.() ?? 0,
        })
        assert.equal(code, 0, stdout)
      }
      assert.ok(existsSync(join(layers, 'greeting.toml')))
      await slipway('buildpack', 'package', `${name}.cnb`, '-f', 'file', '-c', `${name}/package.toml`)
      assert.match(await pack('buildpack', 'inspect', `${name}.cnb`), new RegExp(`team/${name}`))
      assert.match(await refused('buildpack', 'new', `team/${name}`), /buildpack\.toml is there already/)
    }
  })
})
