import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as breath } from 'node:timers/promises'
import { type Layer, openLayout } from '../../src/oci/mod.ts'
import { type BaseLock, parseLocks } from '../../src/os/mod.ts'
import { readAll, readTar } from '../../src/std/mod.ts'
import { checkout, type Story, story } from '../support/cli.ts'
import { goldenBases, ownState } from '../support/golden-bases.ts'
import { type Lie, openLyingMirror } from '../support/lying-mirror.ts'

const golden = JSON.parse(readFileSync('test/golden/bases.json', 'utf8')) as Record<string, string>
const has = (program: string) => spawnSync(program, ['--version']).error === undefined

/** The lock that is shipped for a base of trixie. */
function shippedLock(file: string, arch = 'amd64'): BaseLock {
  const path = join(checkout, 'images', `${file}.lock.json`)
  const found = parseLocks(readFileSync(path, 'utf8'), path).find(
    each => each.release === 'trixie' && each.arch === arch,
  )
  assert.ok(found)
  return found
}

/** Every file below a directory with its digest, apart from what is about this process. */
function contents(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(directory, path)).isFile() && !path.startsWith('.slipway/l'))
    .map(
      path =>
        `${path} ${createHash('sha256')
          .update(readFileSync(join(directory, path)))
          .digest('hex')}`,
    )
    .toSorted()
}

async function layerOf({ home }: Story, name: string): Promise<Layer> {
  const layer = (await openLayout(join(home, 'images')).image(name))?.layers[0]
  assert.ok(layer, `${name} is not in the store`)
  return layer
}

/** The tree of a layer, on disk. */
async function unpacked(given: Story, name: string): Promise<string> {
  const root = join(given.directory, 'root')
  mkdirSync(root)
  const tar = await readAll(await (await layerOf(given, name)).uncompressed(), 1 << 30)
  execFileSync('tar', ['-x', '--no-same-owner', '-C', root], { input: tar })
  return root
}

describe('bases of real packages', () => {
  it('are the same bytes as everywhere: golden digests of every shipped lock', async context => {
    const vanished: string[] = []
    const found = await goldenBases(ownState, base => vanished.push(base))
    if (vanished.length > 0)
      context.diagnostic(`reduced: mirrors have dropped packages of ${vanished.join(', ')}`)
    for (const base of vanished) delete golden[base]
    assert.deepEqual(found, golden)
  })

  it('do not depend on user, state, time zone, language or umask', async () => {
    using one = story({ fresh: true })
    using other = story({ fresh: true })
    const words = ['base', 'build', 'run:tiny']
    const strange = { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' }
    const first = await one.slipway(words)
    const umask = ['-c', `umask 077; exec "$0" "$@"`, join(checkout, 'slipway'), ...words]
    const second = await other.run('sh', umask, { env: strange })
    assert.equal(first.code, 0, first.stderr)
    assert.equal(second.code, 0, second.stderr)
    assert.equal(first.stdout, second.stdout)
    assert.match(first.stdout, /^sha256:[0-9a-f]{64}\n$/)
    assert.deepEqual(contents(join(one.home, 'images')), contents(join(other.home, 'images')))
  })

  it('hold each file of their packages as dpkg-deb unpacks it', {
    skip: has('dpkg-deb') ? false : 'dpkg-deb is not on this machine',
  }, async () => {
    using given = story()
    const built = await given.slipway(['base', 'build', 'run:base'])
    assert.equal(built.code, 0, built.stderr)
    const ours = new Map<string, string>()
    for await (const { name, type, mode, size, content, linkname } of readTar(
      await (await layerOf(given, 'slipway/run:base')).uncompressed(),
    )) {
      const digest = createHash('sha256')
        .update(await readAll(content))
        .digest('hex')
      ours.set(name.toString(), `${type} ${mode.toString(8)} ${size} ${digest} ${linkname ?? ''}`)
    }
    let compared = 0
    for (const { sha256 } of shippedLock('run-base').packages) {
      const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', join(given.home, 'artifacts/sha256', sha256)], {
        maxBuffer: 1 << 28,
      })
      for await (const { name, type, mode, size, content } of readTar(Readable.from([tar]))) {
        if (type !== 'file') continue
        const path = name
          .toString()
          .replace(/^\.\//, '')
          .replace(/^(s?bin|lib(?:64)?)(?=\/)/, 'usr/$1')
        const found = ours.get(path)
        if (found === undefined)
          assert.match(
            path,
            /^usr\/share\/(?:man|info|lintian|doc|doc-base|locale|bug|menu|gcc|gdb|bash-completion|zsh)\/|\/gconv\//,
          )
        else {
          const digest = createHash('sha256')
            .update(await readAll(content))
            .digest('hex')
          assert.equal(found, `file ${(mode & 0o1777).toString(8)} ${size} ${digest} `, path)
          compared++
        }
      }
    }
    assert.ok(compared > 1000, `${compared} files`)
  })

  it('are known to dpkg, package by package', {
    skip: has('dpkg-query') ? false : 'dpkg-query is not on this machine',
  }, async () => {
    using given = story()
    await given.slipway(['base', 'build', 'run:base'])
    const root = await unpacked(given, 'slipway/run:base')
    const query = (...words: string[]) =>
      execFileSync('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, ...words], { encoding: 'utf8' })
    const expected = shippedLock('run-base').packages.map(
      ({ name, version, arch }) => `${name} ${version} ${arch} ii \n`,
    )
    assert.equal(
      query(
        '-W',
        '-f',
        ['Package', 'Version', 'Architecture', 'db:Status-Abbrev']
          .map(field => `\${${field}}`)
          .join(' ')
          .concat('\\n'),
      ),
      expected.join(''),
    )
    assert.match(query('-L', 'libc6'), /^\/usr\/lib\/x86_64-linux-gnu\/libc\.so\.6$/m)
    assert.match(query('-S', '/usr/bin/openssl'), /^openssl: /)
  })

  it('before the patch have older versions of packages with holes, and nothing else differs', () => {
    const versions = (file: string) =>
      new Map(shippedLock(file).packages.map(({ name, version }) => [name, version]))
    const [now, before] = [versions('run-base'), versions('run-base-previous')]
    assert.deepEqual([...now.keys()], [...before.keys()])
    const changed = [...now].filter(([name, version]) => before.get(name) !== version).map(([name]) => name)
    assert.ok(changed.includes('libssl3t64') && changed.includes('openssl'), changed.join(' '))
  })
})

describe('slipway base', () => {
  it('lists what there is', async () => {
    using given = story()
    const { code, stdout } = await given.slipway(['base', 'list'])
    assert.equal(code, 0)
    for (const name of [
      'slipway/run:base',
      'slipway/run:tiny-bookworm',
      'slipway/build:base',
      'slipway/run:base-previous',
    ])
      assert.match(stdout, new RegExp(`^${name} `, 'm'))
    const json = JSON.parse((await given.slipway(['base', 'list', '--json'])).stdout)
    assert.ok(json.every(({ locked }: { locked?: { packages: number } }) => (locked?.packages ?? 0) > 0))
  })

  it('locks and builds a recipe of the user, and says what changed since', async () => {
    using given = story()
    const recipe =
      'name = "run:shop"\nrole = "run"\nsummary = "For shops"\npackages = ["base-files", "netbase"]\nexclude = ["awk", "debconf"]\n[releases.trixie]\nversion = "13"\nsuites = ["trixie"]\n'
    writeFileSync(join(given.directory, 'shop.toml'), recipe)
    const locked = await given.slipway(['base', 'lock', '--recipe', 'shop.toml'])
    assert.equal(locked.code, 0, locked.stderr)
    assert.equal(locked.stdout, `${join(given.directory, 'shop.lock.json')}\n`)
    assert.match(locked.stderr, /run:shop: Debian trixie for amd64, 2 packages/)
    const built = await given.slipway(['base', 'build', 'shop.toml', '-t', 'shop/run', '--locked'])
    assert.equal(built.code, 0, built.stderr)
    assert.match(built.stderr, /shop\/run: Debian trixie for amd64, 2 packages, [\d.]+ kB/)
    const file = join(given.directory, 'shop.lock.json')
    const old = readFileSync(file, 'utf8').replace(/("name": "netbase"[^}]*"version": ")[^"]+/, '$16.4')
    writeFileSync(file, old)
    assert.match(
      (await given.slipway(['base', 'lock', '--recipe', 'shop.toml'])).stderr,
      /1 changed:\n {2}netbase 6\.4 -> [\w.+~]+$/m,
    )
    writeFileSync(join(given.directory, 'shop.toml'), recipe.replace('"netbase"', '"tzdata"'))
    const stale = await given.slipway(['base', 'build', 'shop.toml'])
    assert.equal(stale.code, 3)
    assert.match(
      stale.stderr,
      /shop\.lock\.json does not fit its recipe: tzdata not in it[\s\S]*slipway base lock/,
    )
  })

  const mistakes: readonly [string, number, RegExp, string[]][] = [
    ['an unknown base', 3, /Cannot find the base "run:nix"[\s\S]*slipway\/run:tiny/, ['build', 'run:nix']],
    [
      'an unknown release',
      3,
      /Cannot find the base "run:base-sid"/,
      ['build', 'run:base', '--release', 'sid'],
    ],
    ['an unknown architecture', 2, /amd64 and arm64/, ['build', 'run:base', '--arch', 's390x']],
    ['a recipe that is not there', 3, /there is no file/, ['build', 'nix.toml']],
    ['no base at all', 2, /neither a name nor a recipe/, ['lock']],
    ['two bases', 2, /both a name and a recipe/, ['lock', 'run:base', '--recipe', 'x.toml']],
    ['an unknown flag', 2, /unknown option '--root'/, ['build', 'run:base', '--root']],
  ]
  for (const [what, code, words, line] of mistakes) {
    it(`says what is wrong with ${what}`, async () => {
      using given = story()
      const result = await given.slipway(['base', ...line])
      assert.equal(result.code, code, result.stderr)
      assert.match(result.stderr, words)
      assert.equal(result.stdout, '')
    })
  }

  it('says what to set where the mirror is wrong, and keeps nothing', async () => {
    using given = story({ fresh: true })
    const wrong = await given.slipway(['base', 'build', 'run:static'], {
      env: { SLIPWAY_APT_MIRROR: 'debian' },
    })
    assert.equal(wrong.code, 3)
    assert.match(wrong.stderr, /SLIPWAY_APT_MIRROR holds "debian"[\s\S]*https:\/\/mirror\.example/)
    const dead = await given.slipway(['base', 'build', 'run:static'], {
      env: { SLIPWAY_APT_MIRROR: 'http://127.0.0.1:9/debian' },
    })
    assert.equal(dead.code, 1)
    assert.match(dead.stderr, /Cannot reach 127\.0\.0\.1:9/)
    assert.deepEqual(await openLayout(join(given.home, 'images')).list(), [])
  })
})

describe('a mirror that lies about real files', () => {
  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] as number) ^ 1
    return copy
  }
  const lies: readonly [string, string[], RegExp, Lie][] = [
    [
      'that names other packages in a signed index',
      ['lock', 'run:static', '-o', 'x.lock.json'],
      /Cannot trust the index of trixie/,
      (path, real) =>
        path.endsWith('InRelease')
          ? Buffer.from(real.toString().replace(/^( )[0-9a-f]{8}/m, '$100000000'))
          : real,
    ],
    [
      'that serves other packages than it signed for',
      ['lock', 'run:static', '-o', 'x.lock.json'],
      /Cannot use the index of trixie\s+Why: it should be sha256:/,
      (path, real) => (/Packages|by-hash/.test(path) ? flipped(real, 1000) : real),
    ],
    [
      'that serves a package with one bit flipped',
      ['build', 'run:static'],
      /Cannot use base-files\s+Why: it should be sha256:/,
      (path, real) => (path.includes('/base-files_') ? flipped(real, 5000) : real),
    ],
    [
      'that serves a package cut short',
      ['build', 'run:static'],
      /Cannot use tzdata\s+Why: it should be \d+ bytes, and is 1000 bytes/,
      (path, real) => (path.includes('/tzdata_') ? real.subarray(0, 1000) : real),
    ],
    [
      'that serves the login page of a network',
      ['build', 'run:static'],
      /Cannot use [\w-]+\s+Why: it should be/,
      () => Buffer.from('<html>Welcome to the hotel</html>'),
    ],
  ]
  for (const [what, words, said, lie] of lies) {
    it(`${what} is found out, and nothing of it stays`, async context => {
      await using mirror = await openLyingMirror(lie)
      if (!mirror) return context.skip('this machine knows no mirror of Debian')
      using given = story({ fresh: true })
      const { code, stdout, stderr } = await given.slipway(['base', ...words], { env: mirror.environment })
      assert.equal(code, 1, stderr)
      assert.match(stderr, said)
      assert.match(stderr, /What to do: /)
      assert.equal(stdout, '')
      assert.ok(mirror.asked.length > 0)
      assert.deepEqual(await openLayout(join(given.home, 'images')).list(), [])
      assert.ok(!existsSync(join(given.directory, 'x.lock.json')))
    })
  }

  it('and has dropped a package is told from one that lies: the base is locked anew, or refused with --locked', async context => {
    const dropped = shippedLock('run-static').packages.find(({ name }) => name === 'netbase')?.path
    assert.ok(dropped)
    let gone = true
    await using mirror = await openLyingMirror((path, real) => (gone && path === dropped ? undefined : real))
    if (!mirror) return context.skip('this machine knows no mirror of Debian')
    using given = story({ fresh: true })
    const refused = await given.slipway(['base', 'build', 'run:static', '--locked'], {
      env: mirror.environment,
    })
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /no mirror has these packages any more: netbase [\s\S]*SLIPWAY_SNAPSHOT_MIRROR/,
    )
    // The index still names what the pool has lost, so there is no successor either, and the words stay the same.
    const stuck = await given.slipway(['base', 'build', 'run:static'], { env: mirror.environment })
    assert.equal(stuck.code, 1)
    assert.match(
      stuck.stderr,
      /Warning: [\s\S]*netbase[\s\S]*ERROR: Cannot lock run:static\s+Why: the mirror does not have/,
    )
    gone = false
    const there = await given.slipway(['base', 'build', 'run:static', '--locked'], {
      env: mirror.environment,
    })
    assert.equal(there.code, 0, there.stderr)
  })
})

describe('making a base', () => {
  it('twice at once in one state directory gives one base', async () => {
    using given = story({ fresh: true })
    const results = await Promise.all([1, 2].map(() => given.slipway(['base', 'build', 'run:tiny'])))
    for (const { code, stderr } of results) assert.equal(code, 0, stderr)
    assert.equal(results[0]?.stdout, results[1]?.stdout)
    assert.equal((await layerOf(given, 'slipway/run:tiny')).diffId, golden['run:tiny trixie amd64'])
  })

  it('goes on after it was killed in the middle, at each stage', async () => {
    const stages: readonly [string, (home: string) => boolean][] = [
      ['fetching', home => names(home, 'artifacts/sha256').length > 2],
      ['decoding', home => names(home, 'packages').length > 2],
      ['writing the layer', home => names(home, 'images/.slipway/staging').length > 0],
    ]
    using given = story({ fresh: true })
    for (const [stage, reached] of stages) {
      const child = given.start(['base', 'build', 'run:tiny'])
      let ended = false
      child.once('close', () => (ended = true))
      while (!ended && !reached(given.home)) await breath()
      const { pid } = child
      // The process that works is a child of the shell that sets up, with the same number: the script ends in exec.
      if (!ended && pid !== undefined) process.kill(pid, 'SIGKILL')
      while (!ended) await breath()
      assert.deepEqual(await openLayout(join(given.home, 'images')).list(), [], stage)
    }
    const result = await given.slipway(['base', 'build', 'run:tiny'])
    assert.equal(result.code, 0, result.stderr)
    assert.equal((await layerOf(given, 'slipway/run:tiny')).diffId, golden['run:tiny trixie amd64'])
    assert.deepEqual(
      [...names(given.home, 'builds'), ...names(given.home, 'packages')].filter(name => name.startsWith('.')),
      [],
    )
  })

  it('says so where the disk is full, and is as if it had not been tried', async context => {
    using given = story({ fresh: true })
    const inside = `mount -t tmpfs -o size=4m none "$SLIPWAY_HOME" || exit 77; "$0" base build run:tiny; code=$?; ls -A "$SLIPWAY_HOME/images/blobs/sha256" 2>/dev/null; exit $code`
    const { code, stdout, stderr } = await given.run('unshare', [
      '--user',
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      inside,
      join(checkout, 'slipway'),
    ])
    if (code === 77 || /unshare/.test(stderr)) return context.skip('this machine lets nobody mount')
    assert.equal(code, 1, stderr)
    assert.match(stderr, /The disk is full[\s\S]*What to do/)
    assert.equal(stdout, '')
  })
})

function names(home: string, path: string): string[] {
  try {
    return readdirSync(join(home, path))
  } catch {
    return []
  }
}
