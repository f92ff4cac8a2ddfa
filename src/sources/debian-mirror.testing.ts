import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCleartextMessage, generateKey, type PrivateKey, sign } from 'openpgp'
import { openHttp } from '#std'
import { openArtifactStore } from './artifacts.ts'
import { filesOf, makeDeb } from './deb.testing.ts'
import { type DebianArchive, openDebianArchive } from './debian.ts'
import type { DebianMirrors } from './debian-settings.ts'
import { storedXz } from './xz.testing.ts'

/** A package of a mirror for tests. */
export interface TestPackage {
  readonly name: string
  readonly version: string
  readonly arch?: string
  /** Further fields of its stanza, such as `Depends`. */
  readonly fields?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  /** The whole package; takes the place of `files` and `scripts`. */
  readonly deb?: Buffer
}

/** How a suite is published. */
export interface Publication {
  /** Milliseconds since 1970. */
  readonly date?: number
  readonly validUntil?: number
  readonly signer?: TestKey
  readonly codename?: string
}

export interface TestKey {
  readonly privateKey: PrivateKey
  readonly armored: string
}

/** Answers a request in its own way. */
export type Answer = (response: ServerResponse) => void

/** A mirror of Debian on the loopback address, with packages and keys of its own. It tells the truth until it is told to lie. */
export interface TestMirror extends AsyncDisposable {
  readonly url: string
  readonly key: TestKey
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** What is served, by path. */
  readonly files: Map<string, Buffer>
  /** Answers that take the place of files. */
  readonly answers: Map<string, Answer>
  publish(suite: string, packages: readonly TestPackage[], publication?: Publication): Promise<void>
  /** An archive that trusts the mirror's key, with its state below `home`. */
  archive(home: string, options?: ArchiveOptions): DebianArchive
}

export interface ArchiveOptions {
  readonly mirrors?: Partial<DebianMirrors>
  readonly now?: number
  readonly keys?: readonly string[]
}

/** The time of tests: 2026-01-02T00:00:00Z. */
export const TODAY = Date.UTC(2026, 0, 2)

/** Makes a key to sign with. */
export async function testKey(): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKey({
    userIDs: [{ name: 'Test archive' }],
    type: 'ecc',
    date: new Date(Date.UTC(2020, 0, 1)),
    format: 'object',
  })
  return { privateKey, armored: publicKey.armor() }
}

/** Opens a mirror; its server stops when it is disposed. */
export async function openTestMirror(): Promise<TestMirror> {
  const files = new Map<string, Buffer>()
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  const key = await testKey()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname.slice(1))
    asked.push(path)
    const answer = answers.get(path)
    if (answer) return answer(response)
    const file = files.get(path)
    response.writeHead(file ? 200 : 404, { 'content-length': file?.length ?? 0 }).end(file)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const http = openHttp({ patience: 1, retries: 1 })
  return {
    url,
    key,
    asked,
    files,
    answers,
    async publish(suite, packages, publication = {}) {
      const stanzas: string[] = []
      for (const each of packages) stanzas.push(await put(each, files))
      await putRelease(suite, stanzas, { signer: key, ...publication }, files)
    },
    archive: (home, { mirrors = {}, now = TODAY, keys = [key.armored] } = {}) =>
      openDebianArchive({
        mirrors: { main: [url], security: [url], snapshots: [], ...mirrors },
        access: { get: (address, asking) => http.get(address, asking), artifacts: openArtifactStore(home) },
        home,
        now: () => now,
        keys,
      }),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

/** Puts a package into the pool; returns its stanza. */
async function put(wanted: TestPackage, files: Map<string, Buffer>): Promise<string> {
  const { name, version, arch = 'all', fields = {}, scripts = {} } = wanted
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${arch}`,
    'Maintainer: Nobody <nobody@example.com>',
    ...Object.entries(fields).map(([field, value]) => `${field}: ${value}`),
    'Description: a package for tests',
  ].join('\n')
  const deb = wanted.deb ?? (await makeDeb({ control, scripts, entries: filesOf(wanted.files ?? {}) }))
  const path = poolPath(wanted)
  files.set(path, deb)
  return [control, `Filename: ${path}`, `Size: ${deb.length}`, `SHA256: ${sha256(deb)}`].join('\n')
}

/** Where a package lies. */
export function poolPath({ name, version, arch = 'all' }: TestPackage): string {
  return `pool/main/${name[0]}/${name}/${name}_${version.replace(/^\d+:/, '')}_${arch}.deb`
}

async function putRelease(
  suite: string,
  stanzas: readonly string[],
  { date = TODAY - 3_600_000, validUntil, signer, codename = suite }: Publication & { signer: TestKey },
  files: Map<string, Buffer>,
): Promise<void> {
  const packed = storedXz(Buffer.from(stanzas.map(stanza => `${stanza}\n\n`).join('')))
  const table: string[] = []
  for (const arch of ['amd64', 'arm64']) {
    const path = `main/binary-${arch}/Packages.xz`
    files.set(`dists/${suite}/${path}`, packed)
    files.set(`dists/${suite}/main/binary-${arch}/by-hash/SHA256/${sha256(packed)}`, packed)
    table.push(` ${sha256(packed)} ${packed.length} ${path}`)
  }
  const text = [
    'Origin: Debian',
    `Suite: ${suite}`,
    `Codename: ${codename}`,
    `Date: ${new Date(date).toUTCString()}`,
    ...(validUntil === undefined ? [] : [`Valid-Until: ${new Date(validUntil).toUTCString()}`]),
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...table,
    '',
  ].join('\n')
  const signed = await sign({
    message: await createCleartextMessage({ text }),
    signingKeys: signer.privateKey,
    date: new Date(date),
  })
  files.set(`dists/${suite}/InRelease`, Buffer.from(signed))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
