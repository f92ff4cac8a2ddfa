import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { names, type WorkbenchOptions, workbench } from '../workbench.testing.ts'
import { build, npmFor } from './build.ts'
import { detect } from './detect.ts'
import { wantedNode } from './version.ts'

const dependencies = {
  node: { version: '24.1.0', files: { 'bin/node': 'program' } },
  npm: { version: '11.2.0', files: { 'bin/npm': 'program' } },
}
const bench = (options: Partial<WorkbenchOptions> = {}) =>
  workbench({ buildpack: 'node', files: {}, dependencies, ...options })

describe('the buildpack for Node.js', () => {
  it('offers Node.js with npm and without', async () => {
    await using place = await bench()
    const plan = await place.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['node', 'npm'])
    assert.deepEqual(plan?.or, [{ provides: [{ name: 'node' }] }])
  })

  it('brings the program alone into an image', async () => {
    await using place = await bench()
    await place.build(build, [{ name: 'node', metadata: { launch: true } }])
    assert.deepEqual(place.table('node.toml')?.types, { launch: true, build: false, cache: false })
    assert.equal(place.file('node/bin/node'), 'program')
    assert.equal(place.file('node/env.launch/NODE_ENV.default'), 'production')
    assert.equal(place.file('node/env.launch/NODE_OPTIONS.prepend'), '--use-openssl-ca')
    assert.match(place.file('node.sbom.cdx.json'), /pkg:generic\/node@24\.1\.0/)
    for (const name of ['kit', 'npm']) assert.equal(place.table(`${name}.toml`), undefined)
  })

  it('brings npm beside it where a build wants it', async () => {
    await using place = await bench()
    await place.build(build, [
      { name: 'node', metadata: { build: true, headers: true } },
      { name: 'node', metadata: { launch: true } },
      { name: 'npm', metadata: { build: true, version: '' } },
    ])
    const { types, metadata } = place.table('kit.toml') as { types: object; metadata: { version: string } }
    assert.deepEqual([types, metadata.version], [{ launch: false, build: true, cache: true }, '24.1.0'])
    assert.equal(place.file('kit/env.build/NODE_HOME.override'), `${place.layers}/kit`)
    assert.equal(place.file('npm/bin/npm'), 'program')
    assert.deepEqual(place.table('node.toml')?.types, { launch: true, build: false, cache: false })
  })

  it('has an npm for every Node.js since 14', () => {
    const old = ['14.21.3 9', '16.13.0 9', '16.1.0 8', '18.20.8 10', '20.4.0 9', '20.5.0 10', '20.19.0 11']
    for (const pair of [...old, '22.8.0 10', '22.9.0 11', '23.1.0 11', '24.1.0 11', '26.0.0 11']) {
      const [node = '', npm] = pair.split(' ')
      assert.equal(npmFor(node), npm, pair)
    }
    assert.throws(() => npmFor('12.22.0'), { code: 'NODE_WITHOUT_NPM' })
  })
})

describe('the version of Node.js', () => {
  const wanted = async (files: Record<string, string>, environment: Record<string, string> = {}) => {
    await using place = await bench({ files })
    const configuration = {
      text: (name: string) => environment[name] ?? '',
      given: (name: string) => environment[name],
    }
    const { version, from } = await wantedNode({ application: place.application, configuration } as never)
    return `${version} (${from})`
  }
  const files = {
    'package.json': '{"engines": {"node": " >=20 <23 "}}',
    '.nvmrc': 'v22.1.0\n',
    '.node-version': '20\n',
  }

  it('is what the user says, else package.json, else files for version managers', async () => {
    assert.equal(await wanted(files, { BP_NODE_VERSION: '22.*' }), '22.* (BP_NODE_VERSION)')
    assert.equal(await wanted(files), '>=20 <23 (engines of package.json)')
    assert.equal(await wanted({ ...files, 'package.json': '{}' }), 'v22.1.0 (.nvmrc)')
    assert.equal(await wanted({ '.node-version': '20\n' }), '20 (.node-version)')
    assert.equal(await wanted({ '.nvmrc': '\n' }), ' (the default)')
    assert.equal(await wanted({ 'web/.nvmrc': '22' }, { BP_NODE_PROJECT_PATH: 'web' }), '22 (.nvmrc)')
  })

  it('may have a name that nvm knows', async () => {
    assert.equal(await wanted({ '.nvmrc': 'lts/Iron # why\n' }), '20 (.nvmrc)')
    for (const word of ['lts/*', 'node', 'stable'])
      assert.equal(await wanted({ '.nvmrc': word }), ' (.nvmrc)')
    await assert.rejects(wanted({ '.nvmrc': 'lts/unobtainium' }), { code: 'NODE_VERSION_UNKNOWN' })
    await assert.rejects(wanted({ '.nvmrc': 'lts/constructor' }), { code: 'NODE_VERSION_UNKNOWN' })
  })
})
