import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { installedGo } from '../../src/platform/launcher/go-toolchain.ts'
import { type LauncherOptions, launcherBinary } from '../../src/platform/launcher/launcher.ts'
import { readLauncherSources } from '../../src/platform/launcher/sources.ts'
import { openMachineSources } from '../../src/runtimes/mod.ts'
import {
  javaTruststoreFromPem,
  printCertificates,
  readCertificates,
  readIfExists,
  recording,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../src/std/mod.ts'
import { bundleLaunchers } from '../../tools/launcher.ts'

/** The launcher that goes into images: how it is made, and that it works where there is nothing else. */

const checkout = join(import.meta.dirname, '../..')
const sources = join(checkout, 'launcher')
const certificates = process.env.SSL_CERT_FILE ?? '/etc/ssl/certs/ca-certificates.crt'
/** Downloads are verified, and kept from run to run; so are launchers of unchanged sources. */
const SHARED = join(checkout, '.cache/launcher')
let directory: TemporaryDirectory
let machine: ReturnType<typeof openMachineSources>

before(async () => {
  directory = await temporaryDirectory(join(checkout, '.cache'), 'launcher-test-')
  chmodSync(directory.path, 0o755)
  machine = openMachineSources({
    home: SHARED,
    userHome: homedir(),
    environment: process.env,
    node: process.execPath,
    certificates: await readIfExists(certificates),
    now: Date.now,
  })
})
after(async () => {
  await machine[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

function options(home: string, more: Partial<LauncherOptions> = {}): LauncherOptions {
  return {
    arch: 'amd64',
    machine: process.arch,
    home,
    environment: process.env,
    goModules: machine.goModules,
    report: recording(),
    places: { sources },
    ...more,
  }
}

/** Program headers of an ELF file with 64 bits, by type. */
function segments(path: string): { machine: number; types: number[] } {
  const file = readFileSync(path)
  const table = Number(file.readBigUInt64LE(32))
  const [size, count] = [file.readUInt16LE(54), file.readUInt16LE(56)]
  const types = Array.from({ length: count }, (_, at) => file.readUInt32LE(table + at * size))
  return { machine: file.readUInt16LE(18), types }
}

describe('launcherBinary', () => {
  it('makes the same bytes with the Go of this machine and with the fetched one', async context => {
    const { pin } = await readLauncherSources(sources)
    const home = join(directory.path, 'without-go')
    // Without a PATH there is no Go, so that it is fetched through the Go settings of this machine.
    const fetched = await launcherBinary(options(home, { environment: {} }))
    assert.equal(fetched.go, pin.go)
    const installed = await installedGo(process.env)
    if (installed?.version !== `go${pin.go}`)
      return context.diagnostic(`nothing to compare with: this machine has ${installed?.version ?? 'no Go'}`)
    const built = await launcherBinary(options(SHARED))
    assert.equal(built.digest, fetched.digest)
    assert.equal(readFileSync(built.path).equals(readFileSync(fetched.path)), true)
  })

  it('is found again, and made again where it was damaged', async () => {
    const first = await launcherBinary(options(SHARED))
    const copy = join(directory.path, 'copy')
    cpSync(join(SHARED, 'launcher'), join(copy, 'launcher'), { recursive: true })
    const none = { environment: {}, goModules: () => assert.fail('asked for Go') }
    const found = await launcherBinary(options(copy, none))
    assert.equal(found.digest, first.digest)
    rmSync(found.path)
    writeFileSync(found.path, 'x')
    await assert.rejects(launcherBinary(options(copy, none)), /asked for Go/)
  })

  it('is static, small, and for the architecture that was asked for', async () => {
    for (const [arch, machine] of [
      ['amd64', 62],
      ['arm64', 183],
    ] as const) {
      const { path } = await launcherBinary(options(SHARED, { arch }))
      const elf = segments(path)
      assert.equal(elf.machine, machine)
      assert.ok(elf.types.includes(1) && !elf.types.includes(2) && !elf.types.includes(3), String(elf.types))
      const content = readFileSync(path)
      assert.ok(content.byteLength < 3_000_000, String(content.byteLength))
      assert.equal(content.includes(checkout), false)
    }
  })

  it('comes from a release where there is one, unless the sources are others', async () => {
    const bundle = join(directory.path, 'bundle')
    await bundleLaunchers(bundle)
    const none = { environment: {}, goModules: () => assert.fail('asked for Go') }
    for (const places of [{ bundle }, { bundle, sources }]) {
      const { path } = await launcherBinary(options(directory.path, { ...none, places }))
      assert.equal(path, join(bundle, 'launcher-amd64'))
    }
    chmodSync(join(bundle, 'launcher-amd64'), 0o755)
    writeFileSync(join(bundle, 'launcher-amd64'), 'x')
    const broken = launcherBinary(options(directory.path, { ...none, places: { bundle } }))
    await assert.rejects(broken, { code: 'LAUNCHER_MISSING' })
    const changed = join(directory.path, 'changed')
    mkdirSync(changed)
    for (const name of ['go.mod', 'launcher.json']) copyFileSync(join(sources, name), join(changed, name))
    writeFileSync(join(changed, 'main.go'), 'package main\n\nimport nonsense\n')
    const failing = launcherBinary(
      options(join(directory.path, 'failing'), { places: { bundle, sources: changed } }),
    )
    await assert.rejects(failing, {
      code: 'LAUNCHER_UNBUILDABLE',
      why: /go1\.\S+ did not succeed: .*main\.go:3/,
    })
  })

  it('says what to install or to set where there is no way to build it', async () => {
    const { readGoSettings, openGoModules } = await import('../../src/sources/mod.ts')
    const goModules = async () =>
      openGoModules(
        await readGoSettings({ environment: { GOENV: 'off', GOSUMDB: 'off' }, home: directory.path }),
        machine.access,
      )
    const nothing = options(join(directory.path, 'nothing'), { environment: {}, goModules })
    await assert.rejects(launcherBinary(nothing), { code: 'LAUNCHER_UNBUILDABLE', fix: /GOPROXY/ })
    await assert.rejects(launcherBinary({ ...nothing, places: {} }), { code: 'LAUNCHER_MISSING' })
  })
})

describe('the launcher in an image', () => {
  /** An image with a Java-like layer and nothing else: no /etc, /proc, /dev, /tmp, shell or library. */
  async function image(name: string): Promise<string> {
    const root = join(directory.path, name)
    const { path } = await launcherBinary(options(SHARED))
    const put = (file: string, content: string | Buffer) => {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), content)
    }
    const metadata =
      '[[buildpacks]]\nid = "jdk"\nversion = "1"\napi = "0.12"\n\n[[processes]]\ntype = "web"\ncommand = ["probe"]\ndirect = true\nbuildpack-id = "jdk"\n'
    put('layers/config/metadata.toml', metadata)
    put('layers/jdk/helper/env.launch/BPL_JVM_LOADED_CLASS_COUNT.default', '14777')
    put('layers/jdk/helper/env.launch/BPI_JVM_CACERTS.default', join('/layers/jdk/cacerts'))
    put('layers/jdk/helper/env.launch/JAVA_TOOL_OPTIONS.append', '-XX:+ExitOnOutOfMemoryError')
    put('workspace/x', '')
    put('cnb/process/x', '')
    for (const helper of ['active-processor-count', 'java-truststore', 'memory-calculator']) {
      mkdirSync(join(root, 'layers/jdk/helper/exec.d'), { recursive: true })
      symlinkSync('/cnb/lifecycle/launcher', join(root, 'layers/jdk/helper/exec.d', helper))
    }
    mkdirSync(join(root, 'cnb/lifecycle'))
    copyFileSync(path, join(root, 'cnb/lifecycle/launcher'))
    chmodSync(join(root, 'cnb/lifecycle/launcher'), 0o755)
    symlinkSync('/cnb/lifecycle/launcher', join(root, 'cnb/process/web'))
    mkdirSync(join(root, 'layers/jdk/helper/bin'))
    execFileSync('go', ['build', '-o', join(root, 'layers/jdk/helper/bin/probe'), '.'], {
      cwd: join(checkout, 'test/support/probe'),
      env: { ...process.env, CGO_ENABLED: '0' },
    })
    return root
  }

  const chroot = ['/usr/sbin/chroot', '/usr/bin/chroot', '/sbin/chroot'].find(existsSync)
  function start(root: string, environment: Record<string, string> = {}) {
    const words = ['--user', '--map-root-user', '--', chroot ?? 'chroot', root, '/cnb/process/web', 'a b']
    const env = { PATH: '/usr/bin:/bin', CNB_PLATFORM_API: '0.15', ...environment }
    return spawnSync('unshare', words, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
  }
  async function reason(): Promise<string | undefined> {
    if (!chroot) return 'there is no chroot on this machine'
    if (!(await installedGo(process.env))) return 'there is no Go on this machine to make the probe with'
    const { status, stderr } = spawnSync('unshare', ['--user', '--map-root-user', 'true'], {
      encoding: 'utf8',
    })
    return status === 0 ? undefined : `no user namespaces: ${stderr}`
  }

  it('starts a process, prepared by its own helpers, where there is nothing else', async context => {
    const missing = await reason()
    if (missing) return context.skip(missing)
    const root = await image('nothing')
    writeFileSync(join(root, 'layers/jdk/cacerts'), await truststore(1))
    const { status, stdout, stderr } = start(root)
    assert.equal(status, 0, stderr)
    const probe = JSON.parse(stdout.split('\n').find(line => line.startsWith('{')) ?? '')
    assert.deepEqual(probe.argv, ['probe', 'a b'])
    const options = probe.environment.find((entry: string) => entry.startsWith('JAVA_TOOL_OPTIONS='))
    assert.match(
      options,
      /^JAVA_TOOL_OPTIONS=-XX:\+ExitOnOutOfMemoryError -XX:ActiveProcessorCount=\d+ -XX:MaxDirectMemorySize=10M -Xmx439206K -XX:MaxMetaspaceSize=97369K -XX:ReservedCodeCacheSize=240M -Xss1M$/,
    )
    assert.match(stdout, /^Calculated JVM Memory Configuration: .* \(Total Memory: 1G, Thread Count: 250, /m)
  })

  it('hands the authorities of the container to Java, without changing a layer', async context => {
    const missing = await reason()
    if (missing) return context.skip(missing)
    const root = await image('authorities')
    const layer = join(root, 'layers/jdk/cacerts')
    const before = await truststore(3)
    writeFileSync(layer, before)
    for (const place of ['etc/ssl/certs', 'tmp']) mkdirSync(join(root, place), { recursive: true })
    const all = (await system()).slice(0, 10)
    writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), printCertificates(all))
    const { status, stdout, stderr } = start(root)
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^Adding 10 container CA certificates to JVM truststore$/m)
    const made = /-Djavax\.net\.ssl\.trustStore=(\S+)/.exec(stdout)?.[1]
    const store = readFileSync(join(root, made ?? 'none'))
    assert.equal(store.readUInt32BE(8), 10)
    for (const der of all) assert.ok(store.includes(der))
    assert.ok(readFileSync(layer).equals(before))
    const keytool = spawnSync(
      'keytool',
      ['-list', '-keystore', join(root, made ?? ''), '-storepass', 'changeit'],
      {
        encoding: 'utf8',
      },
    )
    if (keytool.error) return context.diagnostic('no keytool on this machine')
    assert.match(keytool.stdout, /contains 10 entries/)
  })

  it('ends with 82 and says what is needed where the JVM does not fit', async context => {
    const missing = await reason()
    if (missing) return context.skip(missing)
    const root = await image('small')
    writeFileSync(join(root, 'layers/jdk/cacerts'), await truststore(1))
    mkdirSync(join(root, 'sys/fs/cgroup'), { recursive: true })
    writeFileSync(join(root, 'sys/fs/cgroup/memory.max'), String(512 * 2 ** 20))
    const { status, stderr } = start(root)
    assert.equal(status, 82)
    assert.match(stderr, /needs at least 598M and there is 512M/)
    assert.match(stderr, /set BPL_JVM_THREAD_COUNT \(now 250\) to 164 or less/)
    assert.equal(start(root, { BPL_JVM_THREAD_COUNT: '164' }).status, 0)
    rmSync(join(root, 'layers/jdk/helper/exec.d/memory-calculator'))
    assert.equal(start(root).status, 0)
  })

  async function system() {
    return readCertificates((await readIfExists(certificates)) ?? '').certificates
  }
  async function truststore(count: number): Promise<Buffer> {
    const found = (await system()).slice(0, count)
    return javaTruststoreFromPem(printCertificates(found), certificates)
  }
})
