import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { processOf, workbench } from '../workbench.testing.ts'
import { build } from './build.ts'
import { commandOf } from './command.ts'
import { detect } from './detect.ts'
import { parseProcfile } from './procfile.ts'

describe('Procfile', () => {
  it('has a process a line, and ignores all else', () => {
    const text = '# processes\nweb: ./serve  -p 80 \r\n\nworker:./work\nbad name: x\nempty:\nrelease: a: b\n'
    assert.deepEqual(parseProcfile(text), { web: './serve  -p 80', worker: './work', release: 'a: b' })
  })

  const commands: [string, string[]][] = [
    ['./server -port 8080', ['./server', '-port', '8080']],
    ["java -cp 'a b' Main", ['java', '-cp', 'a b', 'Main']],
    ['echo "a b"', ['echo', 'a b']],
    ['node server.js --port $PORT', ['bash', '-c', 'node server.js --port $PORT']],
    ["echo '$PORT'", ['echo', '$PORT']],
    ['echo "$PORT"', ['bash', '-c', 'echo "$PORT"']],
    ['a && b', ['bash', '-c', 'a && b']],
    ['A=b run', ['bash', '-c', 'A=b run']],
    ['run A=b', ['run', 'A=b']],
    ['exec ./run', ['bash', '-c', 'exec ./run']],
    ['ls *.txt', ['bash', '-c', 'ls *.txt']],
    ['cat ~/x', ['bash', '-c', 'cat ~/x']],
  ]
  for (const [text, words] of commands)
    it(`starts ${text} ${words[0] === 'bash' ? 'by a shell' : 'directly'}`, () =>
      assert.deepEqual(commandOf(text, false), words))

  it('is not there: the buildpack stays out', async () => {
    await using bench = await workbench({ buildpack: 'procfile', files: { Procfile: '# nothing\n' } })
    assert.equal(await bench.detect(detect), undefined)
  })

  it('is joined with a binding, which wins, and with the default process, which does not', async () => {
    await using bench = await workbench({
      buildpack: 'procfile',
      files: { Procfile: 'web: app\nworker: app-worker\n' },
      bindings: { extra: { type: 'Procfile', Procfile: 'worker: bound\n' } },
      environment: { BP_PROCFILE_DEFAULT_PROCESS: 'variable' },
    })
    const plan = await bench.detect(detect)
    assert.deepEqual(plan?.requires, [{ name: 'procfile', metadata: { web: 'app', worker: 'bound' } }])
  })

  it('gives processes, web the default one', async () => {
    await using bench = await workbench({ buildpack: 'procfile', files: {} })
    await bench.build(build, [{ name: 'procfile', metadata: { worker: 'work', web: 'serve $PORT' } }])
    const table = bench.table('launch.toml')
    assert.deepEqual(processOf(table, 'web'), {
      type: 'web',
      command: ['bash', '-c', 'serve $PORT'],
      args: [],
      default: true,
    })
    assert.equal(processOf(table, 'worker')?.default, false)
  })

  it('never needs a shell if the user says so', async () => {
    await using bench = await workbench({
      buildpack: 'procfile',
      files: {},
      environment: { BP_DIRECT_PROCESS: 'true' },
    })
    await bench.build(build, [{ name: 'procfile', metadata: { job: 'echo $PORT' } }])
    assert.deepEqual(processOf(bench.table('launch.toml'), 'job'), {
      type: 'job',
      command: ['echo', '$PORT'],
      args: [],
      default: true,
    })
  })
})
