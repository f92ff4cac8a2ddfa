import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Outcome, openSandbox, type RunSpec, type Sandbox } from '../../src/sandbox/mod.ts'
import { isRoot, testAsOrdinaryUser } from '../support/sandbox.ts'

/*
 * The driver for the inside of containers: it isolates nothing and says so, but an environment is clean, limits hold, and nothing is left when a run is over.
 * It tells stray processes by their user, so root runs this file as a user that nobody else uses.
 */
const NOBODY_ELSE = 1501
const CONTAINER = { container: 'oci', PATH: process.env.PATH }

if (isRoot) {
  it('the plain driver keeps its promises', async () => {
    await testAsOrdinaryUser(import.meta.filename, NOBODY_ELSE)
  })
} else {
  describe('the plain driver', () => {
    let sandbox: Sandbox
    let place: string

    before(async () => {
      place = mkdtempSync(join(tmpdir(), 'slipway-plain-'))
      mkdirSync(join(place, 'layers'))
      sandbox = await openSandbox({ driver: 'plain', temporary: place, environment: CONTAINER })
    })
    after(async () => {
      await sandbox?.[Symbol.asyncDispose]()
      rmSync(place, { recursive: true, force: true })
    })

    const run = async (
      script: string,
      change: Partial<RunSpec> = {},
    ): Promise<Outcome & { output: string }> => {
      let output = ''
      const take = (bytes: Uint8Array) => {
        output += Buffer.from(bytes).toString()
      }
      const layers = join(place, 'layers')
      const outcome = await sandbox.run({
        command: ['/bin/sh', '-c', script],
        cwd: layers,
        env: { PATH: '/usr/bin:/bin' },
        mounts: [{ mode: 'rw', host: layers, inside: layers }],
        network: 'none',
        stdout: take,
        stderr: take,
        ...change,
      })
      return { ...outcome, output }
    }

    it('is refused outside of containers, and says that it isolates nothing', async () => {
      const signs = ['/.dockerenv', '/run/.containerenv'].some(path =>
        readdirSync('/').includes(path.slice(1)),
      )
      if (!signs)
        await assert.rejects(openSandbox({ driver: 'plain', temporary: place, environment: {} }), {
          code: 'SANDBOX_PLAIN_REFUSED',
        })
      assert.match(sandbox.description, /no isolation of its own/)
    })

    it('hands over the environment that it was given, and nothing else of ours', async () => {
      process.env.SLIPWAY_TEST_SECRET = 'a-secret-7c1f'
      const { output, exitCode } = await run('env', { env: { PATH: '/usr/bin:/bin', GIVEN: 'x' } })
      assert.equal(exitCode, 0)
      assert.match(output, /^GIVEN=x$/m)
      assert.doesNotMatch(output, /SECRET|7c1f|HOME=/)
    })

    it('tells a program that is missing from one that ends with 127', async () => {
      await assert.rejects(run('', { command: ['no-such-program'] }), { code: 'SANDBOX_COMMAND_MISSING' })
      assert.equal((await run('exit 127')).exitCode, 127)
      assert.equal((await run('kill -TERM $$')).signal, 'SIGTERM')
    })

    it('refuses what it cannot do', async () => {
      await assert.rejects(run('true', { root: place }), { code: 'SANDBOX_PLAIN_CANNOT' })
      const elsewhere = { mode: 'ro', host: place, inside: '/layers' } as const
      await assert.rejects(run('true', { mounts: [elsewhere] }), { code: 'SANDBOX_PLAIN_CANNOT' })
    })

    const strays = {
      'in the background': 'sh -c "$LOOP" & sleep 0.1',
      'in a session of its own': 'setsid sh -c "$LOOP" & sleep 0.1',
      'without an environment': 'env -i sh -c "$LOOP" & sleep 0.1',
      'in a session of its own, without an environment or parent':
        '(setsid env -i sh -c "(trap \\"\\" HUP TERM INT; $LOOP) &" &) ; sleep 0.3',
    }
    for (const [how, script] of Object.entries(strays)) {
      it(`leaves no process that was started ${how}`, async () => {
        const mark = `stray-${process.pid}-${how.length}`
        const loop = `exec sleep 98765.${process.pid}${how.length}`
        const { exitCode } = await run(script, { env: { PATH: '/usr/bin:/bin', LOOP: loop, MARK: mark } })
        assert.equal(exitCode, 0)
        assert.deepEqual(sleepers(`98765.${process.pid}${how.length}`), [])
      })
    }

    it('leaves no process of a program that it ended', async () => {
      const { reason } = await run('trap "" TERM HUP INT; sleep 98764 & while :; do sleep 1; done', {
        limits: { seconds: 1 },
      })
      assert.equal(reason, 'timeout')
      assert.deepEqual(sleepers('98764'), [])
    })

    it('ends what needs too many processes, too much memory or disk', async () => {
      const bomb = 'for i in $(seq 80); do sleep 98763 & done; wait'
      assert.equal((await run(bomb, { limits: { processes: 30, seconds: 60 } })).reason, 'processes')
      assert.deepEqual(sleepers('98763'), [])
      const hungry = 'x=$(head -c 300000000 /dev/zero | tr "\\\\0" x); sleep 5'
      assert.equal((await run(hungry, { limits: { memoryBytes: 1e8, seconds: 60 } })).reason, 'memory')
      const greedy = 'head -c 100000000 /dev/urandom > big; sync; sleep 5'
      assert.equal((await run(greedy, { limits: { diskBytes: 2e7, seconds: 60 } })).reason, 'disk')
      rmSync(join(place, 'layers/big'))
      const limits = { processes: 30, memoryBytes: 1e9, diskBytes: 1e8, seconds: 60 }
      assert.equal((await run('head -c 1000 /dev/zero > small; sleep 0.5', { limits })).exitCode, 0)
    })
  })
}

/** Living processes `sleep NUMBER`. */
function sleepers(number: string): string[] {
  return readdirSync('/proc').filter(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1') === `sleep\0${number}\0`
    } catch {
      return false
    }
  })
}
