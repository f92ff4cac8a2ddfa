import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Story, story } from '../support/cli.ts'
import { whyNoSandbox } from '../support/sandbox.ts'

/** What `slipway doctor --json` prints. */
interface Told {
  readonly ready: boolean
  readonly findings: readonly { name: string; state: string; found: string; fix?: string }[]
}

const skip = await whyNoSandbox()

async function ask(place: Story, env: Record<string, string> = {}): Promise<Told & { code: number }> {
  const { code, stdout, stderr } = await place.slipway(['doctor', '--json'], { env })
  assert.notEqual(stdout, '', stderr)
  return { code, ...(JSON.parse(stdout) as Told) }
}

const find = ({ findings }: Told, name: string) => findings.find(each => each.name === name)

describe('slipway doctor', { skip }, () => {
  it('finds a machine ready, line by line', async () => {
    using place = story()
    const { code, stdout } = await place.slipway(['doctor'])
    assert.equal(code, 0, stdout)
    for (const name of ['Node.js', 'Linux', 'state directory', 'sandbox', 'Debian packages'])
      assert.match(stdout, new RegExp(`^ok +${name}: `, 'm'))
    assert.match(stdout, /^This machine can build and run\.$/m)
  })

  it('says what is missing, why, and what to do', async () => {
    using place = story()
    const unreachable = await ask(place, { SLIPWAY_APT_MIRROR: 'http://127.0.0.1:9/debian' })
    assert.deepEqual([unreachable.code, unreachable.ready], [1, false])
    assert.equal(find(unreachable, 'Debian packages')?.state, 'missing')
    assert.match(find(unreachable, 'Debian packages')?.fix ?? '', /network/)
    const lost = await ask(place, { SLIPWAY_HOME: '/usr/share/slipway' })
    assert.equal(find(lost, 'state directory')?.state, 'missing')
    assert.match(find(lost, 'state directory')?.fix ?? '', /SLIPWAY_HOME/)
  })

  it('notes what works with less than it could', async () => {
    using place = story()
    const told = await ask(place, { SSL_CERT_FILE: '/nowhere.pem' })
    const { state, found } = find(told, 'certificate authorities') ?? {}
    assert.equal(state, 'weak')
    assert.match(found ?? '', /SSL_CERT_FILE names \/nowhere.pem/)
    for (const each of told.findings) assert.equal(each.state === 'good', each.fix === undefined, each.name)
  })

  it('shows no password of an address', async () => {
    using place = story()
    const told = await ask(place, { npm_config_registry: 'https://someone:p4ss-7c1f@registry.example/' })
    assert.match(find(told, 'npm packages')?.found ?? '', /registry.example/)
    assert.doesNotMatch(JSON.stringify(told), /p4ss-7c1f/)
  })

  it('gives the reason of the kernel where namespaces are refused, in the words of a run', async () => {
    using place = story()
    const script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
    const within = (words: readonly string[]) =>
      place.run('unshare', ['--user', '--map-root-user', 'sh', '-c', script, 'sh', ...words])
    const program = new URL('../../slipway', import.meta.url).pathname
    const { code, stdout } = await within([program, 'doctor', '--json'])
    assert.equal(code, 1)
    const found = find(JSON.parse(stdout) as Told, 'sandbox')
    assert.equal(found?.state, 'missing')
    assert.match(found?.found ?? '', /user namespaces are switched off \(user.max_user_namespaces is 0\)/)
    assert.match(found?.fix ?? '', /sysctl -w user.max_user_namespaces/)
    const run = await within([program, 'run', 'slipway/run:base', '--', 'true'])
    assert.equal(run.code, 1)
    assert.ok(run.stderr.includes(found?.fix as string), run.stderr)
  })
})
