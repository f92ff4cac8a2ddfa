import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Files, names, processOf, type WorkbenchOptions, workbench } from '../workbench.testing.ts'
import { build } from './build.ts'
import { detect } from './detect.ts'
import { startOf } from './start-script.ts'

const bench = (files: Files, options: Partial<WorkbenchOptions> = {}) =>
  workbench({ buildpack: 'node-start', files, ...options })

describe('the script start', () => {
  const direct: [string, string[], Record<string, string>?][] = [
    ['node server.js', ['node', 'server.js']],
    [
      "  node --enable-source-maps 'my server.js' --port 80 ",
      ['node', '--enable-source-maps', 'my server.js', '--port', '80'],
    ],
    ['NODE_ENV=production node .', ['node', '.'], { NODE_ENV: 'production' }],
    [`A=1 B='two words' C="x" D= node a.js`, ['node', 'a.js'], { A: '1', B: 'two words', C: 'x', D: '' }],
    ['npm run serve', ['node', 'serve.js']],
  ]
  for (const [start, command, variables = {}] of direct)
    it(`${start} needs no shell`, () =>
      assert.deepEqual(startOf({ start, serve: 'node serve.js' }), { command, variables }))

  const others = [
    'next start',
    'node a.js && node b.js',
    'node $FILE',
    'A=$B node a.js',
    'node',
    'nodemon a.js',
    'node a.js > log',
  ]
  for (const start of others)
    it(`${start} needs one`, () =>
      assert.deepEqual(startOf({ start }), { command: ['bash', '-c', start], variables: {} }))

  it('is run with what npm runs before and after it, and is absent where there is none', () => {
    const scripts = { prestart: 'node migrate.js', start: 'node a.js', poststart: 'echo done' }
    const command = ['bash', '-c', '{ node migrate.js\n} && { node a.js\n} && { echo done\n}']
    assert.deepEqual(startOf(scripts)?.command, command)
    assert.deepEqual(startOf({ start: 'npm run start' })?.command, ['bash', '-c', 'npm run start'])
    assert.deepEqual(startOf({ start: 'npm run a', prea: 'x', a: 'y' })?.command, ['bash', '-c', 'npm run a'])
    for (const scripts of [{}, { start: ' ' }, { stop: 'x' }])
      assert.equal(startOf(scripts as never), undefined)
  })
})

describe('the buildpack that starts Node.js', () => {
  const started = async (files: Files, environment: Record<string, string> = {}) => {
    await using place = await bench(files, { environment })
    const said = await place.build(build, [])
    return { process: processOf(place.table('launch.toml'), 'web'), said, application: place.application }
  }

  it('asks for Node.js, and for packages where package.json does', async () => {
    await using bare = await bench({ 'package.json': '{}' })
    assert.deepEqual(names(await bare.detect(detect), 'requires'), ['node'])
    await using wanting = await bench({ 'package.json': '{"dependencies": {"hono": "4"}}' })
    assert.deepEqual(names(await wanting.detect(detect), 'requires'), ['node', 'node_modules'])
    await using file = await bench({ 'server.js': '' })
    assert.deepEqual(names(await file.detect(detect), 'requires'), ['node'])
    await using none = await bench({ 'pom.xml': '' })
    assert.equal(await none.detect(detect), undefined)
    await using named = await bench({ 'x.js': '' }, { environment: { BP_LAUNCHPOINT: 'x.js' } })
    assert.deepEqual(names(await named.detect(detect), 'requires'), ['node'])
  })

  it('takes BP_LAUNCHPOINT, then the script, then main, then a file by its name', async () => {
    const files = {
      'package.json': '{"main": "lib", "scripts": {"start": "node start.js"}}',
      'lib/index.js': '',
      'app.js': '',
      'x.js': '',
    }
    const command = async (files: Files, environment?: Record<string, string>) =>
      (await started(files, environment)).process?.command
    assert.deepEqual(await command(files, { BP_LAUNCHPOINT: './x.js' }), ['node', 'x.js'])
    assert.deepEqual(await command(files), ['node', 'start.js'])
    assert.deepEqual(await command({ ...files, 'package.json': '{"main": "lib"}' }), ['node', 'lib/index.js'])
    assert.deepEqual(await command({ ...files, 'package.json': '{"main": "none"}' }), ['node', 'app.js'])
    assert.deepEqual(await command({ ...files, 'package.json': '{"main": "../x"}' }), ['node', 'app.js'])
  })

  it('starts in the directory of the project', async () => {
    const files = { 'web/package.json': '{}', 'web/server.js': '' }
    const { process, application } = await started(files, { BP_NODE_PROJECT_PATH: 'web' })
    assert.deepEqual(
      [process?.command, process?.['working-dir']],
      [['node', 'server.js'], `${application}/web`],
    )
  })

  it('makes variables of what stands before the command', async () => {
    await using place = await bench({ 'package.json': '{"scripts": {"start": "MODE=x node a.js"}}' })
    await place.build(build, [])
    assert.equal(place.file('start/env.launch/web/MODE.override'), 'x')
    assert.deepEqual(place.table('start.toml')?.types, { launch: true, build: false, cache: false })
  })

  it('warns of package managers, which the image has not', async () => {
    const start = (script: string) =>
      started({ 'package.json': JSON.stringify({ scripts: { start: script } }) })
    assert.match(
      (await start('npm run a && npm run b')).said,
      /WARNING: The script start runs a package manager/,
    )
    assert.doesNotMatch((await start('next start')).said, /WARNING/)
  })

  it('says what is missing where nothing can be started, and leaves it to a Procfile', async () => {
    await assert.rejects(started({ 'package.json': '{}' }), { code: 'NODE_NO_START' })
    await assert.rejects(started({}, { BP_LAUNCHPOINT: '../x.js' }), { code: 'NODE_NO_START' })
    assert.equal((await started({ 'package.json': '{}', Procfile: 'web: node x' })).process, undefined)
  })
})
