import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GO_MODULE, goModuleVersion, isIdleInGo, isProgramOfGo } from '#runtimes'
import type { GoModules } from '#sources'
import { openZip, type Report, temporaryDirectory, type ZipArchive } from '#std'

/** A Go toolchain that can be run; one that was fetched is gone when disposed. */
export interface GoToolchain extends AsyncDisposable {
  /** Where it lies (`GOROOT`). */
  readonly root: string
  /** What it calls itself, such as `go1.26.8`. */
  readonly version: string
}

/** The go on the PATH, whatever its release. `undefined` where there is none that answers. */
export async function installedGo(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GoToolchain | undefined> {
  return new Promise(done => {
    // A go that would switch to another release is asked about itself.
    const options = { env: { ...environment, GOTOOLCHAIN: 'local' }, timeout: 30_000, cwd: '/' }
    execFile('go', ['env', 'GOROOT', 'GOVERSION'], options, (error, stdout) => {
      const [root = '', version = ''] = error ? [] : stdout.split('\n')
      const found = root.startsWith('/') && /^go\d/.test(version)
      done(found ? { root, version: version.trim(), async [Symbol.asyncDispose]() {} } : undefined)
    })
  })
}

/** What a fetched toolchain is made of. */
export interface FetchedGo {
  /** A Go release, such as `1.26.8`. */
  readonly release: string
  /** The architecture of this machine. */
  readonly arch: 'amd64' | 'arm64'
  /** The expected digest of the module `golang.org/toolchain` for both. */
  readonly h1: string
  /** Where it may be unpacked for a while. */
  readonly home: string
  readonly goModules: () => Promise<GoModules>
  readonly report: Report
}

/** Fetches a Go release as the module that the go command itself would fetch, and unpacks what building needs of it. */
export async function fetchGo({
  release,
  arch,
  h1,
  home,
  goModules,
  report,
}: FetchedGo): Promise<GoToolchain> {
  const version = goModuleVersion(release, arch)
  using _ = report.progress(`Fetching Go ${release}`)
  const { path } = await (await goModules()).fetch({ path: GO_MODULE, version, h1 })
  const directory = await temporaryDirectory(join(home, 'launcher'), '.go-')
  try {
    await using zip = await openZip(path)
    await unpack(zip, `${GO_MODULE}@${version}/`, directory.path)
    return {
      root: directory.path,
      version: `go${release}`,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    }
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    throw error
  }
}

/** The zip's bytes have been verified; its names are looked at all the same. */
async function unpack(zip: ZipArchive, prefix: string, root: string): Promise<void> {
  const directories = new Set<string>()
  for (const entry of zip.entries) {
    const name = entry.name.startsWith(prefix) ? entry.name.slice(prefix.length) : ''
    if (name === '' || entry.type !== 'file' || isIdleInGo(name)) continue
    if (name.split('/').some(step => step === '' || step === '.' || step === '..')) {
      throw new Error(`a Go toolchain has the file ${JSON.stringify(entry.name)}`)
    }
    const path = join(root, name)
    const directory = dirname(path)
    if (!directories.has(directory)) {
      await mkdir(directory, { recursive: true })
      directories.add(directory)
    }
    // The format does not promise modes, so that they are not asked for.
    const mode = isProgramOfGo(name) ? 0o755 : 0o644
    await writeFile(path, await zip.read(entry), { mode, flag: 'wx' })
  }
}
