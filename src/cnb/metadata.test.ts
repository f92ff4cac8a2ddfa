import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBuildLabel } from './build-label.ts'
import { parseBuildpackId, parseProcessType } from './ids.ts'
import { printBuildLabel } from './labels.ts'
import { type BuildMetadata, parseMetadata, printMetadata } from './metadata.ts'

const id = (text: string) => parseBuildpackId(text, 'x')
const NONE: BuildMetadata = { buildpacks: [], extensions: [], labels: [], processes: [], slices: [] }
const metadata: BuildMetadata = {
  buildpacks: [
    { id: id('acme/node'), version: '1.2.3', api: '0.10', homepage: 'https://acme.example' },
    { id: id('acme/start'), version: '0.4.0', api: '0.12' },
  ],
  extensions: [],
  labels: [{ key: 'a', value: '1' }],
  processes: [
    {
      type: parseProcessType('web', 'x'),
      command: ['node'],
      args: ['srv.js'],
      direct: true,
      buildpackId: id('acme/start'),
      workingDirectory: '/tmp',
      execEnv: ['production'],
    },
  ],
  slices: [{ paths: ['static/*'] }],
  defaultProcessType: 'web',
}

describe('metadata.toml', () => {
  it('is printed for the launcher, and read', () => {
    const text = printMetadata(metadata)
    assert.equal(
      text,
      `buildpack-default-process-type = "web"

[[buildpacks]]
id = "acme/node"
version = "1.2.3"
api = "0.10"
homepage = "https://acme.example"

[[buildpacks]]
id = "acme/start"
version = "0.4.0"
api = "0.12"

[[labels]]
key = "a"
value = "1"

[[processes]]
type = "web"
command = [ "node" ]
args = [ "srv.js" ]
direct = true
buildpack-id = "acme/start"
working-dir = "/tmp"
exec-env = [ "production" ]

[[slices]]
paths = [ "static/*" ]
`,
    )
    assert.deepEqual(JSON.parse(JSON.stringify(parseMetadata(text, 'x'))), metadata)
  })

  it('says that there are no processes', () => {
    assert.equal(printMetadata(NONE), 'processes = []\n')
    assert.deepEqual(parseMetadata('', 'x'), NONE)
  })
})

describe('the build label', () => {
  it('is printed in the order of the reference', () => {
    assert.equal(
      printBuildLabel(metadata, { version: '0.21.17' }),
      '{"buildpacks":[{"id":"acme/node","version":"1.2.3","homepage":"https://acme.example"},' +
        '{"id":"acme/start","version":"0.4.0"}],"launcher":{"version":"0.21.17","source":{"git":{"repository":"",' +
        '"commit":""}}},"processes":[{"type":"web","command":["node"],"args":["srv.js"],"direct":true,' +
        '"buildpackID":"acme/start","working-dir":"/tmp","exec-env":["production"]}],' +
        '"buildpack-default-process-type":"web"}',
    )
    assert.match(
      printBuildLabel(NONE, { version: '1' }),
      /^\{"buildpacks":\[\],"launcher":.*,"processes":\[\]\}$/,
    )
  })

  it('has null for no arguments', () => {
    const processes = metadata.processes.map(process => ({ ...process, args: [] }))
    assert.match(printBuildLabel({ ...metadata, processes }, { version: '1' }), /"args":null,/)
  })

  it('of any image is read', () => {
    const parsed = parseBuildLabel(printBuildLabel(metadata, { version: '1', commit: 'c' }), 'x')
    assert.deepEqual(parsed.launcher, { version: '1', commit: 'c' })
    assert.equal(parsed.processes[0]?.workingDirectory, '/tmp')
    const old = parseBuildLabel('{"bom":null,"processes":[{"type":"web","command":"a b","args":null}]}', 'x')
    assert.deepEqual(old.processes[0]?.command, ['a b'])
  })
})
