import assert from 'node:assert/strict'
import { mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseBuildpack } from '#cnb'
import type { Execution, ExecutionOutcome } from '#lifecycle'
import { recording, temporaryDirectory } from '#std'
import type { SandboxExecutor } from './executables.ts'
import { preparedExecutor } from './prepared-executor.ts'

const DESCRIPTOR = 'api = "0.12"\n[buildpack]\nid = "slipway/a"\nversion = "1"\n'

/** One start of a program, and how it is ended. */
interface Started {
  readonly execution: Execution
  readonly stdin: Promise<Uint8Array> | undefined
  readonly end: (outcome: ExecutionOutcome) => void
}

/** An executor that keeps what it was asked to start. */
async function opened() {
  const directory = await temporaryDirectory(tmpdir())
  const at = (name: string) => join(directory.path, name)
  for (const name of ['buildpacks', 'buildpacks/a', 'app', 'layers', 'plan']) mkdirSync(at(name))
  const started: Started[] = []
  const executor: SandboxExecutor = {
    run: (execution, stdin) =>
      new Promise(end => {
        started.push({ execution, stdin, end })
        execution.signal?.addEventListener('abort', () => end({ why: 'was stopped' }))
      }),
  }
  const report = recording()
  const place = (name: string) => ({ host: at(name), inside: `/${name}` })
  const said: string[] = []
  const execution = (changes: Partial<Execution> = {}): Execution => ({
    phase: 'build',
    buildpack: { descriptor: parseBuildpack(DESCRIPTOR, 'buildpack.toml'), root: place('buildpacks/a') },
    command: ['/buildpacks/a/bin/build', '/layers', '/platform', '/plan/plan.toml'],
    cwd: '/app',
    env: { PATH: '/bin' },
    readable: [place('layers')],
    writable: [place('app'), place('plan')],
    output: bytes => said.push(Buffer.from(bytes).toString()),
    ...changes,
  })
  return {
    at,
    started,
    said,
    report,
    execution,
    executor: preparedExecutor(executor, { node: '/node', buildpacks: at('buildpacks'), report }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

describe('buildpacks that are started ahead', () => {
  it('get the words and the environment that they are called with in the end', async () => {
    await using bench = await opened()
    await bench.executor.prepare(bench.execution())
    await bench.executor.prepare(bench.execution())
    assert.equal(bench.started.length, 1)
    const [first] = bench.started
    assert.deepEqual(first?.execution.command, [
      '/node',
      '/buildpacks/a/main.cjs',
      'called-later',
      'build',
      '/layers',
      '/platform',
      '/plan/plan.toml',
    ])
    const env = { PATH: '/layers/jdk/bin:/bin', JAVA_HOME: '/layers/jdk' }
    const running = bench.executor.run(bench.execution({ env }))
    const call = JSON.parse(Buffer.from((await first?.stdin) ?? []).toString())
    assert.deepEqual(call, {
      words: ['build', '/layers', '/platform', '/plan/plan.toml'],
      environment: env,
    })
    first?.execution.output(Buffer.from('hello'))
    first?.end({ exitCode: 3 })
    assert.deepEqual(await running, { exitCode: 3 })
    assert.deepEqual(bench.said, ['hello'])
    assert.equal(bench.started.length, 1)
    assert.deepEqual(bench.report.lines, ['slipway/a was started ahead'])
  })

  it('are started anew where something differs that they cannot change about themselves', async () => {
    const differ: ((bench: Awaited<ReturnType<typeof opened>>) => Partial<Execution>)[] = [
      () => ({ env: { PATH: '/bin', NODE_OPTIONS: '--no-warnings' } }),
      () => ({ env: { PATH: '/bin', TZ: 'Asia/Tokyo' } }),
      () => ({ cwd: '/layers' }),
      () => ({ command: ['/buildpacks/a/bin/build', '/layers', '/platform', '/other/plan.toml'] }),
      ({ at }) => ({ writable: [{ host: at('app'), inside: '/app' }] }),
      ({ at }) => {
        // Another directory under the same name: a process that has the old one mounted would not see it.
        renameSync(at('plan'), at('plan-before'))
        mkdirSync(at('plan'))
        return {}
      },
    ]
    for (const change of differ) {
      await using bench = await opened()
      await bench.executor.prepare(bench.execution())
      const asked = bench.execution(change(bench))
      const running = bench.executor.run(asked)
      await new Promise(setImmediate)
      assert.equal(bench.started.length, 2, String(change))
      assert.equal(bench.started[0]?.execution.signal?.aborted, true)
      assert.equal(bench.started[1]?.stdin, undefined)
      assert.deepEqual(bench.started[1]?.execution, asked)
      bench.started[1]?.end({ exitCode: 0 })
      assert.deepEqual(await running, { exitCode: 0 })
    }
  })

  it('are started anew where they ended before they were called', async () => {
    await using bench = await opened()
    await bench.executor.prepare(bench.execution())
    bench.started[0]?.end({ exitCode: 1 })
    await new Promise(setImmediate)
    const running = bench.executor.run(bench.execution())
    await new Promise(setImmediate)
    bench.started[1]?.end({ exitCode: 0 })
    assert.deepEqual(await running, { exitCode: 0 })
  })

  it('are ended where nobody calls them', async () => {
    await using bench = await opened()
    await bench.executor.prepare(bench.execution())
    await bench.executor[Symbol.asyncDispose]()
    assert.equal(bench.started[0]?.execution.signal?.aborted, true)
  })

  it('are those of slipway alone, and only their bin/build', async () => {
    await using bench = await opened()
    const { descriptor } = bench.execution().buildpack
    const foreign = { descriptor, root: { host: bench.at('app'), inside: '/app' } }
    await bench.executor.prepare(bench.execution({ buildpack: foreign }))
    await bench.executor.prepare(bench.execution({ phase: 'detect' }))
    assert.equal(bench.started.length, 0)
  })
})
