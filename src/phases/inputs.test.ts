import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PLATFORM_APIS } from '#cnb'
import { temporaryDirectory } from '#std'
import { flagsOf, PHASES, type Phase } from './flags.ts'
import { type PhaseInputs, readInputs } from './inputs.ts'

const inputs = (
  phase: Phase,
  words: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): PhaseInputs => {
  const asked = readInputs(phase, '0.15', words, environment, '/here')
  if (asked.kind !== 'work') throw new Error(`it was asked for ${asked.kind}`)
  return asked.inputs
}

describe('inputs of phases', () => {
  it('are those of the specification where nothing is said', () => {
    const found = inputs('creator', ['image'])
    assert.deepEqual(
      [found.layers, found.app, found.platform, found.order, found.run, found.launcher, found.system],
      [
        ...['/layers', '/workspace', '/platform', '/cnb/order.toml', '/cnb/run.toml'],
        ...['/cnb/lifecycle/launcher', '/cnb/system.toml'],
      ],
    )
    assert.deepEqual(
      [found.analyzed, found.group, found.plan, found.report, found.projectMetadata],
      ['analyzed', 'group', 'plan', 'report', 'project-metadata'].map(name => `/layers/${name}.toml`),
    )
    assert.deepEqual([found.uid, found.gid, found.execEnv, found.logLevel], [0, 0, 'production', 'info'])
    assert.deepEqual(
      [found.daemon, found.layout, found.skipLayers, found.force],
      [false, false, false, false],
    )
    assert.equal('runImage' in found || 'cacheDirectory' in found || 'previousImage' in found, false)
  })

  it('of the command line count more than those of the environment', () => {
    const environment = {
      ...{ CNB_LAYERS_DIR: '/from-env', CNB_APP_DIR: 'app', CNB_RUN_IMAGE: 'env/run', CNB_USER_ID: '7' },
      ...{
        CNB_USE_DAEMON: 'true',
        CNB_GROUP_PATH: '/g.toml',
        CNB_INSECURE_REGISTRIES: 'a.example,b.example',
      },
    }
    const words = [
      '-layers',
      'flags',
      '-daemon=false',
      '-run-image',
      'flag/run',
      '-insecure-registry',
      'c.example',
    ]
    const found = inputs('creator', words, environment)
    assert.deepEqual(
      [found.layers, found.app, found.uid, found.daemon],
      ['/here/flags', '/here/app', 7, false],
    )
    assert.deepEqual(
      [found.runImage, found.group, found.plan],
      ['flag/run', '/g.toml', '/here/flags/plan.toml'],
    )
    assert.deepEqual(found.insecureRegistries, ['a.example', 'b.example', 'c.example'])
    assert.equal(found.runImageByFlag, true)
    assert.equal(inputs('exporter', [], environment).runImageByFlag, false)
  })

  it('skip layers by either variable, and take what is no truth for none', () => {
    assert.equal(inputs('analyzer', [], { CNB_SKIP_RESTORE: '1' }).skipLayers, true)
    assert.equal(inputs('creator', [], { CNB_SKIP_LAYERS: 'T' }).skipLayers, true)
    assert.equal(inputs('creator', ['-skip-restore']).skipLayers, true)
    assert.equal(inputs('creator', [], { CNB_SKIP_LAYERS: 'yes', CNB_USE_LAYOUT: 'on' }).skipLayers, false)
    assert.deepEqual([inputs('creator', [], { CNB_USER_ID: 'x' }).uid], [0])
  })

  it('take the order of the layers directory where there is one', async () => {
    await using directory = await temporaryDirectory(tmpdir(), 'inputs-')
    mkdirSync(join(directory.path, 'layers'))
    writeFileSync(join(directory.path, 'layers/order.toml'), '')
    const layers = join(directory.path, 'layers')
    assert.equal(inputs('detector', ['-layers', layers]).order, join(layers, 'order.toml'))
    assert.equal(inputs('detector', ['-layers', layers, '-order', '/o.toml']).order, '/o.toml')
  })

  it('are asked for by -h, and are not needed for -version', () => {
    for (const phase of PHASES) {
      assert.equal(readInputs(phase, '0.12', ['-h'], {}, '/').kind, 'usage', phase)
      assert.equal(readInputs(phase, '0.12', ['-version'], {}, '/').kind, 'version', phase)
    }
  })

  it('grow with the Platform API', () => {
    const names = (phase: Phase) =>
      PLATFORM_APIS.map(api => flagsOf(phase, api).map(({ name }) => name)).map(all =>
        ['insecure-registry', 'run', 'system'].filter(name => all.includes(name)).join(' '),
      )
    assert.deepEqual(names('restorer'), [
      '',
      'insecure-registry',
      'insecure-registry run',
      'insecure-registry run',
    ])
    assert.deepEqual(names('detector'), ['run', 'run', 'run', 'run system'])
    assert.deepEqual(names('rebaser'), ['', 'insecure-registry', 'insecure-registry', 'insecure-registry'])
  })
})
