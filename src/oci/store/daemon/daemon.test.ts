import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findDaemon } from './address.ts'
import { daemonImage } from './documents.ts'
import { checkLoaded } from './engine.ts'

describe('findDaemon', () => {
  it('reads DOCKER_HOST as the client of Docker does', async () => {
    const cases: readonly (readonly [string, object])[] = [
      ['unix:///run/x.sock', { kind: 'unix', socketPath: '/run/x.sock' }],
      ['tcp://build.example', { kind: 'tcp', host: 'build.example', port: 2375 }],
      ['tcp://127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
      ['tcp://[::1]:2375', { kind: 'tcp', host: '::1', port: 2375 }],
    ]
    for (const [DOCKER_HOST, address] of cases)
      assert.deepEqual(await findDaemon({ environment: { DOCKER_HOST } }), address)
    for (const DOCKER_HOST of ['ssh://x', 'unix://relative', 'tcp://', 'tcp://user@host', 'x'])
      await assert.rejects(
        findDaemon({ environment: { DOCKER_HOST } }),
        { code: 'DAEMON_ADDRESS_INVALID', exitCode: 3 },
        DOCKER_HOST,
      )
  })
})

const digest = (digit: string) => `sha256:${digit.repeat(64)}`

describe('daemonImage', () => {
  const image = (layers: string[]) => ({
    Id: digest('a'),
    Os: 'linux',
    Architecture: 'arm64',
    Variant: 'v8',
    Created: '2020-01-01T00:00:00Z',
    Config: { Hostname: 'x', Env: ['A=b'], Cmd: null, Labels: {}, User: '', WorkingDir: '/w', Tty: false },
    RootFS: { Type: 'layers', Layers: layers },
  })

  it('keeps what an image says, and leaves out what a daemon adds', () => {
    const history = [
      { Created: 2, CreatedBy: 'second', Size: 20 },
      { Created: 1, CreatedBy: 'ENV', Size: 0 },
      { Created: 1, CreatedBy: 'first', Size: 10 },
    ]
    const { id, config, sizes } = daemonImage(image([digest('1'), digest('2')]), history)
    assert.equal(id, digest('a'))
    assert.deepEqual(config.config, { Env: ['A=b'], WorkingDir: '/w' })
    assert.deepEqual(config.history, [
      { created: '1970-01-01T00:00:01Z', created_by: 'first' },
      { created: '1970-01-01T00:00:02Z', created_by: 'second' },
    ])
    assert.deepEqual([config.variant, sizes], ['v8', [10, 20]])
  })

  it('has no history where the lines do not fit, and reads the IDs of Podman', () => {
    const found = daemonImage({ ...image([digest('1')]), Id: 'b'.repeat(64) }, [{ Size: 0 }, { Size: 0 }])
    assert.deepEqual([found.id, found.config.history, found.sizes], [digest('b'), [], [0]])
    assert.throws(() => daemonImage({ ...image([]), Id: 'x' }, []), { code: 'DOCUMENT_INVALID' })
  })
})

describe('checkLoaded', () => {
  async function* said(...lines: string[]) {
    for (const line of lines) yield Buffer.from(line)
  }

  it('finds a failure in what is told with success', async () => {
    await checkLoaded(said('{"stream":"Loaded image: x\\n"}\n', 'no json'), 'load')
    await assert.rejects(
      checkLoaded(said('{"stream":"x"}\n{"errorDetail":{"mess', 'age":"full"}}\n'), 'load'),
      {
        code: 'DAEMON_REFUSED',
        why: 'the container daemon says: full',
      },
    )
  })
})
