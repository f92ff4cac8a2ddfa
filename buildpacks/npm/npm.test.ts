import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Files,
  names,
  type Workbench,
  type WorkbenchOptions,
  workbench,
  writeTree,
} from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'

const locked = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages })
const app: Files = {
  'package.json': JSON.stringify({
    scripts: { build: 'b', test: 't' },
    dependencies: { hono: '4.0.0' },
    devDependencies: { tool: '1.0.0' },
  }),
  'package-lock.json': locked({
    '': { name: 'app' },
    'node_modules/hono': { version: '4.0.0' },
    'node_modules/tool': { version: '1.0.0', dev: true },
  }),
  'index.js': 'one',
}
const withoutScripts: Files = {
  ...app,
  'package.json': JSON.stringify({ dependencies: { hono: '4.0.0' }, devDependencies: { tool: '1.0.0' } }),
}

/** Does in small what npm does, and notes what it was asked and told; the real one is run by test/integration/nodejs.test.ts. */
const NPM = `#!/bin/sh
[ "$1" = --version ] && exec echo 11.0.0
echo "npm $*" >> ../calls
env | grep -E '^(npm_config_(user|global)config|NODE_ENV|npm_.*nodedir)=' | sort >> ../calls
case "$1" in
ci)
  mkdir -p node_modules/hono node_modules/.cache
  echo hono > node_modules/hono/index.js
  echo list > node_modules/.package-lock.json
  case "$*" in *include=dev*) mkdir -p node_modules/tool && echo tool > node_modules/tool/index.js ;; esac ;;
prune) rm -r node_modules/tool ;;
run)
  cat node_modules/tool/index.js index.js > built.js
  date > node_modules/.cache/x
  if grep -q client index.js; then mkdir -p node_modules/.client && cp index.js node_modules/.client/; fi ;;
esac
`

type Bench = Workbench & {
  /** What npm was asked and told since the last time. */
  calls(): string[]
}

async function bench(files: Files, options: Partial<WorkbenchOptions> = {}): Promise<Bench> {
  const environment = { PATH: '../bin:/usr/bin:/bin', ...options.environment }
  const place = await workbench({ buildpack: 'npm', files, ...options, environment })
  const root = join(place.application, '..')
  writeTree(join(root, 'bin'), { npm: NPM, node: '#!/bin/sh\necho v24.1.0\n' })
  for (const name of ['npm', 'node']) chmodSync(join(root, 'bin', name), 0o755)
  return Object.assign(place, {
    calls() {
      const file = join(root, 'calls')
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
      writeFileSync(file, '')
      return lines.filter(line => line !== '')
    },
  })
}

const PLAN = ['node_modules']

describe('the buildpack for npm', () => {
  it('takes part where packages are wanted or scripts are to be run', async () => {
    await using wanting = await bench(app)
    const plan = await wanting.detect(detect)
    assert.deepEqual(names(plan, 'provides'), ['node_modules'])
    assert.deepEqual(names(plan, 'requires'), ['node_modules', 'node', 'npm'])
    const stays: Files[] = [
      {},
      { 'package.json': '{}' },
      { 'package.json': '{"dependencies": {"a": "1"}}', 'yarn.lock': '' },
      { 'package.json': '{"dependencies": {"a": "1"}}', 'pnpm-lock.yaml': '' },
    ]
    for (const files of stays) {
      await using place = await bench(files)
      assert.equal(await place.detect(detect), undefined, JSON.stringify(files))
    }
    await using script = await bench({ 'package.json': '{"scripts": {"build": "x"}}' })
    assert.ok(await script.detect(detect))
  })

  it('asks for headers where a package compiles, and for the npm that the project names', async () => {
    const files = {
      'package.json':
        '{"dependencies": {"a": "1"}, "packageManager": "npm@10.9.2+sha256.0", "engines": {"npm": ">=9"}}',
      'package-lock.json': locked({ 'node_modules/a': { version: '1.0.0', hasInstallScript: true } }),
    }
    await using place = await bench(files)
    const requires = (await place.detect(detect))?.requires as { name: string; metadata?: object }[]
    assert.deepEqual(
      requires.map(({ metadata }) => metadata),
      [undefined, { build: true, headers: true }, { build: true, version: '10.9.2' }],
    )
  })

  it('installs what runs, into a layer that the app links to', async () => {
    await using place = await bench({ ...withoutScripts, 'node_modules/old/index.js': 'from elsewhere' })
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), ['npm ci --omit=dev'])
    assert.equal(
      readlinkSync(join(place.application, 'node_modules')),
      `${place.layers}/modules/node_modules`,
    )
    assert.equal(place.file('modules/node_modules/hono/index.js'), 'hono\n')
    for (const name of ['.cache', '.package-lock.json', 'old', 'tool'])
      assert.ok(!existsSync(join(place.layers, 'modules/node_modules', name)), name)
    assert.deepEqual(place.table('modules.toml')?.types, { launch: true, build: false, cache: false })
    assert.match(place.file('modules.sbom.cdx.json'), /pkg:npm\/hono@4\.0\.0/)
    assert.doesNotMatch(place.file('modules.sbom.cdx.json'), /pkg:npm\/tool/)
    assert.equal(place.file('modules/env.launch/PATH.prepend'), `${place.application}/node_modules/.bin`)
    writeFileSync(join(place.application, 'index.js'), 'two')
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), [], 'another source')
    writeFileSync(join(place.application, 'package-lock.json'), `${app['package-lock.json']}\n`)
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), ['npm ci --omit=dev'], 'another lock')
  })

  it('builds with everything, and takes away what only builds', async () => {
    await using place = await bench(app)
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), [
      'npm ci --include=dev',
      'npm run build',
      'NODE_ENV=production',
      'npm prune --omit=dev --ignore-scripts --offline',
    ])
    assert.equal(readFileSync(join(place.application, 'built.js'), 'utf8'), 'tool\none')
    const before = place.file('modules.toml')
    assert.ok(!existsSync(join(place.layers, 'modules/node_modules/tool')))

    writeFileSync(join(place.application, 'index.js'), 'two')
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), ['npm run build', 'NODE_ENV=production'], 'another source')
    assert.equal(readFileSync(join(place.application, 'built.js'), 'utf8'), 'tool\ntwo')
    assert.equal(place.file('modules.toml'), before)
    assert.ok(lstatSync(join(place.application, 'node_modules')).isSymbolicLink())
  })

  it('keeps what a script makes among the packages, and makes them anew with it', async () => {
    await using place = await bench({ ...app, 'index.js': 'client one' })
    await place.build(build, PLAN)
    assert.equal(place.file('modules/node_modules/.client/index.js'), 'client one')
    writeFileSync(join(place.application, 'index.js'), 'client two')
    await place.build(build, PLAN)
    assert.equal(place.file('modules/node_modules/.client/index.js'), 'client two')
    assert.ok(!existsSync(join(place.layers, 'modules/node_modules/tool')))
  })

  it("runs the project's own life cycle with everything, whenever the source is another", async () => {
    const scripts = JSON.stringify({ scripts: { prepare: 'husky' }, dependencies: { hono: '4.0.0' } })
    await using place = await bench({ ...app, 'package.json': scripts })
    await place.build(build, PLAN)
    const calls = ['npm ci --include=dev', 'npm prune --omit=dev --ignore-scripts --offline']
    assert.deepEqual(place.calls(), calls)
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), [])
    writeFileSync(join(place.application, 'index.js'), 'two')
    await place.build(build, PLAN)
    assert.deepEqual(place.calls(), calls)
  })

  it('lets workspaces lead back to the app, and keeps their own packages', async () => {
    const files = {
      'package.json': '{"workspaces": ["packages/*"]}',
      'packages/a/package.json': '{"name": "@acme/a"}',
      'package-lock.json': locked({
        '': { name: 'root' },
        'packages/a': { name: '@acme/a', version: '1.0.0' },
        'node_modules/@acme/a': { resolved: 'packages/a', link: true },
        'packages/a/node_modules/ms': { version: '2.0.0' },
        '../out/node_modules/x': { version: '1.0.0' },
      }),
    }
    await using place = await bench(files)
    await place.build(build, PLAN)
    const modules = `${place.layers}/modules`
    assert.equal(readlinkSync(`${modules}/node_modules/@acme/a`), `${place.application}/packages/a`)
    assert.equal(
      readlinkSync(join(place.application, 'packages/a/node_modules')),
      `${modules}/packages/a/node_modules`,
    )
    assert.ok(!existsSync(join(place.application, '../out')))
  })

  it('runs the scripts that are named, and says which there are', async () => {
    const environment = (names: string) => ({ environment: { BP_NODE_RUN_SCRIPTS: names, NODE_ENV: 'test' } })
    await using named = await bench(app, environment(' test, build'))
    await named.build(build, PLAN)
    const runs = named.calls().filter(line => / run |NODE_ENV/.test(line))
    assert.deepEqual(new Set(runs), new Set(['npm run test', 'npm run build', 'NODE_ENV=test']))
    await using none = await bench(app, environment(''))
    await none.build(build, PLAN)
    assert.deepEqual(none.calls()[0], 'npm ci --omit=dev')
    await using missing = await bench(app, environment('deploy'))
    await assert.rejects(missing.build(build, PLAN), { code: 'NPM_NO_SCRIPT', why: /build, test/ })
  })

  it('refuses packages without a lock', async () => {
    await using place = await bench({ 'package.json': '{"dependencies": {"hono": "4"}}' })
    assert.ok(await place.detect(detect))
    await assert.rejects(place.build(build, PLAN), { code: 'NPM_NO_LOCK', fix: /package-lock-only/ })
  })

  it('takes settings from a binding and the registry of the machine, and leaves no credential', async () => {
    const token = '//r.example/:_authToken=s3cret\n'
    await using place = await bench(
      { ...withoutScripts, '.npmrc': token },
      {
        bindings: { registry: { type: 'npmrc', '.npmrc': token } },
        environment: { SLIPWAY_NPM_REGISTRY: 'https://mirror.example/' },
      },
    )
    assert.match(await place.build(build, PLAN), /Removed \.npmrc/)
    const [, global = '', user = ''] = place.calls()
    assert.equal(
      user,
      `npm_config_userconfig=${join(place.application, '../platform/bindings/registry/.npmrc')}`,
    )
    assert.equal(readFileSync(global.replace(/^.*=/, ''), 'utf8'), 'registry=https://mirror.example/\n')
    assert.ok(!existsSync(join(place.application, '.npmrc')))
    assert.doesNotMatch(place.file('modules.toml'), /s3cret|mirror/)
  })

  it('leaves an .npmrc that names a variable in place of a credential', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: npm's own placeholder looks like JavaScript's
    const text = 'legacy-peer-deps=true\n//r.example/:_authToken=${TOKEN}\n; //x/:_authToken=old\n'
    await using place = await bench({ ...withoutScripts, '.npmrc': text })
    await place.build(build, PLAN)
    assert.equal(readFileSync(join(place.application, '.npmrc'), 'utf8'), text)
  })

  it('compiles with the headers that are there', async () => {
    await using home = await bench({})
    const NODE_HOME = join(home.application, '../kit')
    mkdirSync(join(NODE_HOME, 'include/node'), { recursive: true })
    await using place = await bench(withoutScripts, { environment: { NODE_HOME } })
    await place.build(build, PLAN)
    assert.ok(place.calls().includes(`npm_package_config_node_gyp_nodedir=${NODE_HOME}`))
  })
})
