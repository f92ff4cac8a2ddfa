import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openBases } from '../../src/platform/bases/bases.ts'
import { findCertificates } from '../../src/platform/machine/extra-certificates.ts'
import { openMachineSandbox } from '../../src/platform/machine/machine-sandbox.ts'
import { shippedCatalog } from '../../src/platform/shipped.ts'
import { openStore } from '../../src/platform/store.ts'
import {
  type MachineSources,
  openMachineSources,
  openRuntimes,
  type Runtime,
  type RuntimeSession,
} from '../../src/runtimes/mod.ts'
import type { Sandbox } from '../../src/sandbox/mod.ts'
import { isSystemError, printCertificates, silent } from '../../src/std/mod.ts'
import { ownState } from '../support/golden-bases.ts'

/** Runtimes from the registries of this machine, run on real bases, without a network, as the user of an image. */
const home = ownState
const report = silent
let sources: MachineSources
let sandbox: Sandbox
let session: RuntimeSession

before(async () => {
  const { certificates } = await findCertificates(process.env)
  const pem = certificates.length > 0 ? printCertificates(certificates) : undefined
  const common = { home, environment: process.env, report, now: Date.now }
  sources = openMachineSources({
    ...common,
    userHome: process.env.HOME ?? '/',
    node: process.execPath,
    certificates: pem,
  })
  sandbox = await openMachineSandbox({ ...common, sources })
  session = openRuntimes({ ...sources, home, report })
})

after(async () => {
  await sandbox?.[Symbol.asyncDispose]()
  await sources?.[Symbol.asyncDispose]()
})

const versionOf = (base: string) => (base.includes('bookworm') ? '12' : '13')

function resolve(name: string, version: string, base: string): Promise<Runtime> {
  return session.resolve({
    name,
    version,
    arch: 'amd64',
    base: { distro: 'debian', version: versionOf(base) },
  })
}

/** What a program of runtimes says on a base; the trees stand at `/layers/NAME`, as in an image. */
async function output(base: string, trees: readonly Runtime[], command: readonly string[]): Promise<string> {
  const bases = openBases({
    home,
    store: openStore(home),
    catalog: shippedCatalog(),
    archive: sources.archive,
    report,
  })
  const { directory } = await bases.root(await bases.find(base), { arch: 'amd64' })
  let said = ''
  const hear = (bytes: Uint8Array) => {
    said += Buffer.from(bytes).toString()
  }
  const outcome = await sandbox.run({
    root: directory,
    command,
    cwd: '/workspace',
    env: {
      PATH: '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      ...(trees.some(({ name }) => name === 'jre') && { JAVA_HOME: '/layers/jre' }),
    },
    mounts: [
      { mode: 'tmpfs', inside: '/layers' },
      { mode: 'tmpfs', inside: '/tmp' },
      ...trees.map(({ path, name }) => ({
        mode: 'ro' as const,
        host: path,
        inside: `/layers/${name}`,
      })),
    ],
    network: 'none',
    stdout: hear,
    stderr: hear,
  })
  assert.equal(outcome.exitCode, 0, `${outcome.reason}: ${said}`)
  return said
}

const skip = process.arch === 'x64' && process.platform === 'linux' ? false : 'needs Linux on amd64'

describe('bases', { skip }, () => {
  const shell = (base: string, script: string) => output(base, [], ['/bin/sh', '-euc', script])

  for (const base of ['run:base', 'run:base-bookworm', 'run:base-previous']) {
    it(`${base} is a system to run on: accounts, tools, authorities, time zones`, async () => {
      const said = await shell(
        base,
        'id; awk "BEGIN { print 1 + 1 }"; openssl version; grep -c BEGIN /etc/ssl/certs/ca-certificates.crt; TZ=Europe/Paris date -d @0 +%H:%M; locale charmap; which xzcat pager; cat /etc/os-release | grep ^ID=; test ! -u /usr/bin/su',
      ).catch(error => assert.fail(error))
      assert.match(said, /^uid=1001\(cnb\) gid=1001\(cnb\)/)
      assert.match(said, /^2$/m)
      assert.match(said, /^OpenSSL 3\./m)
      assert.match(said, /^1[0-9]{2}$/m)
      assert.match(said, /^01:00$/m)
      assert.match(said, /^UTF-8$/m)
      assert.match(said, /^ID=debian$/m)
    })
  }

  it('build:base compiles C and C++, and its Python and git work', async () => {
    const said = await shell(
      'build:base',
      `cd /tmp
printf '#include <openssl/ssl.h>\n#include <iostream>\nint main() { std::cout << OpenSSL_version(0) << std::endl; }' >a.cc
c++ -o a a.cc -lssl -lcrypto && ./a
printf 'int main(void) { return 0; }' >b.c && cc -o b b.c && ./b && echo compiled
python3 -c 'import ssl, sqlite3, zlib, lzma, bz2, ctypes; print(len(ssl.create_default_context().get_ca_certs()))'
git -c init.defaultBranch=main init -q x && echo cloned
curl --version | head -n 1; perl -e 'print "perl\n"'; jq -n '1 + 1'; make --version | head -n 1`,
    )
    assert.match(
      said,
      /^OpenSSL 3\.[\s\S]*^compiled$[\s\S]*^1\d\d$[\s\S]*^cloned$[\s\S]*^curl 8[\s\S]*^perl$[\s\S]*^2$[\s\S]*^GNU Make/m,
    )
  })

  it('run:static and run:tiny have no shell', async () => {
    for (const base of ['run:static', 'run:tiny'])
      await assert.rejects(shell(base, 'true'), { code: 'SANDBOX_COMMAND_MISSING' })
  })
})

describe('JREs', { skip }, () => {
  const combinations = [
    ['17', 'run:tiny'],
    ['21', 'run:tiny'],
    ['25', 'run:tiny'],
    ['17', 'run:base'],
    ['21', 'run:base'],
    ['21', 'run:base-previous'],
    ['17', 'run:tiny-bookworm'],
    ['21', 'run:tiny-bookworm'],
  ] as const
  for (const [line, base] of combinations) {
    it(`${line} runs on ${base}, and trusts Debian's authorities`, async () => {
      const jre = await resolve('jre', line, base)
      assert.match(
        await output(base, [jre], ['/layers/jre/bin/java', '-version']),
        new RegExp(`^openjdk version "${line}\\.`, 'm'),
      )
      const store = readFileSync(join(jre.path, 'lib/security/cacerts'))
      assert.equal(store.readUInt32BE(0), 0xfeedfeed)
      assert.ok(store.readUInt32BE(8) > 100, 'few authorities')
    })
  }

  it('read their truststore, and know UTF-8 and time zones of the base', async () => {
    const jre = await resolve('jre', '21', 'run:tiny')
    const listed = await output(
      'run:tiny',
      [jre],
      ['/layers/jre/bin/keytool', '-list', '-cacerts', '-storepass', 'changeit'],
    )
    assert.equal(
      listed.match(/trustedCertEntry/g)?.length,
      readFileSync(join(jre.path, 'lib/security/cacerts')).readUInt32BE(8),
    )
    const settings = await output(
      'run:tiny',
      [jre],
      ['/layers/jre/bin/java', '-XshowSettings:all', '-version'],
    )
    assert.match(settings, /file\.encoding = UTF-8/)
    assert.match(settings, /native\.encoding = UTF-8/)
    assert.match(settings, /user\.name = cnb/)
  })
})

describe('other runtimes', { skip }, () => {
  it('Node.js runs on run:tiny', async () => {
    const node = await resolve('node', '', 'run:tiny')
    const said = await output(
      'run:tiny',
      [node],
      [
        '/layers/node/bin/node',
        '-p',
        'process.version + " " + require("os").userInfo().username + " " + new Date(0).toLocaleDateString("de")',
      ],
    )
    assert.equal(said, `v${node.version} cnb 1.1.1970\n`)
  })

  it('Maven and Tomcat start on a JRE', async () => {
    const [jre, maven, tomcat] = await Promise.all([
      resolve('jre', '21', 'run:base'),
      resolve('maven', '', 'run:base'),
      resolve('tomcat', '', 'run:base'),
    ])
    const said = await output('run:base', [jre, maven], ['/layers/maven/bin/mvn', '--version'])
    assert.ok(said.includes(`Apache Maven ${maven.version}`), said)
    const about = await output('run:base', [jre, tomcat], ['/layers/tomcat/bin/catalina.sh', 'version'])
    assert.match(about, new RegExp(`Server version: Apache Tomcat/${tomcat.version.replaceAll('.', '\\.')}`))
  })

  it('Spring Cloud Bindings are one jar, from its checksum', async () => {
    const { lock, path } = await resolve('spring-cloud-bindings', '', 'run:base')
    const [artifact] = lock.artifacts
    assert.match(artifact?.locator ?? '', /spring-cloud-bindings-[\d.]+\.jar$/)
    assert.equal(readFileSync(join(path, `spring-cloud-bindings-${lock.version}.jar`)).length, artifact?.size)
  })

  it('are refused on bases that cannot carry them, and where there are none, with what there is', async () => {
    await assert.rejects(resolve('jdk', '21', 'run:base-bookworm'), { code: 'RUNTIME_NO_JDK' })
    await assert.rejects(
      resolve('jre', '11', 'run:base'),
      error => isSystemError(error, 'RUNTIME_VERSION_UNKNOWN') && /17, 21, 25/.test(error.message),
    )
  })
})
