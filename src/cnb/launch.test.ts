import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBuild } from './build.ts'
import { parseLaunch } from './launch.ts'

const web = '[[processes]]\ntype = "web"\n'

describe('parseLaunch', () => {
  it('reads labels, processes and slices', () => {
    const text = `[[labels]]
key = "a"
value = "b"
[[processes]]
type = "web"
command = ["java", "-jar"]
args = ["x.jar"]
default = true
working-dir = "/tmp"
exec-env = ["production"]
[[slices]]
paths = ["static/*"]
[[bom]]
name = "x"
[bom.metadata]
v = 1
`
    assert.deepEqual(JSON.parse(JSON.stringify(parseLaunch(text, 'x', '0.12'))), {
      labels: [{ key: 'a', value: 'b' }],
      processes: [
        {
          type: 'web',
          command: ['java', '-jar'],
          args: ['x.jar'],
          direct: true,
          default: true,
          workingDirectory: '/tmp',
          execEnv: ['production'],
        },
      ],
      slices: [{ paths: ['static/*'] }],
      bom: [{ name: 'x', metadata: { v: 1 } }],
    })
  })

  it('reads commands as the API of the buildpack has them', () => {
    const old = parseLaunch(`${web}command = "a b"\ndirect = true\n`, 'x', '0.8').processes[0]
    assert.deepEqual([old?.command, old?.direct], [['a b'], true])
    assert.equal(parseLaunch(`${web}command = "a b"\n`, 'x', '0.8').processes[0]?.direct, false)
    assert.equal(parseLaunch(`${web}command = ["a"]\n`, 'x', '0.9').processes[0]?.direct, true)
  })

  it('leaves out what the API does not know', () => {
    const text = `${web}command = "a"\nworking-dir = "/w"\nexec-env = ["test"]\n`
    const [process] = parseLaunch(text, 'x', '0.7').processes
    assert.deepEqual([process?.workingDirectory, process?.execEnv], [undefined, []])
  })

  const bad: [string, string, '0.8' | '0.9', string][] = [
    ['text as command since 0.9', `${web}command = "a"`, '0.9', 'DOCUMENT_INVALID'],
    ['a list as command before', `${web}command = ["a"]`, '0.8', 'DOCUMENT_INVALID'],
    ['direct since 0.9', `${web}command = ["a"]\ndirect = true`, '0.9', 'DOCUMENT_INVALID'],
    ['no command', `${web}command = []`, '0.9', 'DOCUMENT_INVALID'],
    ['a type with a blank', '[[processes]]\ntype = "a b"\ncommand = ["a"]', '0.9', 'PROCESS_TYPE_INVALID'],
    [
      'two defaults',
      `${web}command = ["a"]\ndefault = true\n[[processes]]\ntype = "b"\ncommand = ["b"]\ndefault = true`,
      '0.9',
      'DOCUMENT_INVALID',
    ],
    ['a bill entry with a version', '[[bom]]\nname = "a"\nversion = "1"', '0.9', 'DOCUMENT_INVALID'],
    ['a label without key', '[[labels]]\nkey = ""\nvalue = ""', '0.9', 'DOCUMENT_INVALID'],
  ]
  for (const [what, text, api, code] of bad) {
    it(`refuses ${what}`, () => assert.throws(() => parseLaunch(text, 'x', api), { code }))
  }
})

describe('parseBuild', () => {
  it('reads what is unmet', () => {
    assert.deepEqual(parseBuild('[[unmet]]\nname = "a"\n', 'x'), { unmet: ['a'], bom: [] })
    assert.throws(() => parseBuild('[[unmet]]\nname = ""\n', 'x'), { code: 'DOCUMENT_INVALID' })
    assert.throws(() => parseBuild('[[unmet]]\n', 'x'), { code: 'DOCUMENT_INVALID' })
  })
})
