import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ArtifactStore,
  type DebianArchive,
  indexIn,
  npmRegistryIn,
  openArtifactStore,
  openDebianArchive,
  openGoModules,
  openMavenRepositories,
  openNpmRegistry,
  openPypiIndex,
  type RegistryAccess,
  readDeb,
  readDebianMirrors,
  readGoSettings,
  readMavenRepositories,
  readNpmSettings,
  readPypiSettings,
  superPomIn,
} from '#sources'
import { openHttp, openZip, temporaryDirectory } from '#std'
import type { DebianPackages, RuntimeContext } from './context.ts'
import { stage } from './unpack.ts'

/** What this machine knows of registries; its connections are closed when it is disposed. */
export interface MachineSources
  extends AsyncDisposable,
    Pick<RuntimeContext, 'artifacts' | 'debs' | 'npm' | 'maven' | 'pypi' | 'goModules'> {
  readonly artifacts: ArtifactStore
  /** Debian's archive, one for everything that is fetched from it, so that each index is read once. */
  readonly archive: () => Promise<DebianArchive>
  /** For other fetchers of the same job. */
  readonly access: RegistryAccess
}

export interface MachineSourcesOptions {
  /** The state directory of slipway. */
  readonly home: string
  /** The home directory of the user, where registries are configured. */
  readonly userHome: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The Node.js that runs us; npm's own configuration lies relative to it. */
  readonly node: string
  /** PEM text of the authorities that this machine trusts; a function is asked when the network is first needed. */
  readonly certificates?: string | (() => Promise<string | undefined>) | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly signal?: AbortSignal | undefined
}

/** Opens the registries that this machine is configured for. Configuration is read when a registry is first asked for. */
export function openMachineSources(options: MachineSourcesOptions): MachineSources {
  const { home, userHome, environment, node, certificates, now, signal } = options
  const artifacts = openArtifactStore(home)
  const opened: AsyncDisposable[] = []
  const authorities = once(async () => (typeof certificates === 'function' ? certificates() : certificates))
  const clientWith = (own?: string) =>
    once(async () => {
      const pem = [await authorities(), own].filter(Boolean).join('\n')
      const http = openHttp({ certificates: pem === '' ? undefined : pem, environment })
      opened.push(http)
      return http
    })
  const client = clientWith()
  const access: RegistryAccess = {
    get: async (url, asked) => (await client()).get(url, asked),
    artifacts,
    ...(signal && { signal }),
  }
  const places = { environment, home: userHome }
  const archive = once(async () =>
    openDebianArchive({ mirrors: await readDebianMirrors(environment), access, home, now }),
  )
  const debs = once(async (): Promise<DebianPackages> => {
    const { find, fetch } = await archive()
    return { find, fetch, read: readDeb }
  })
  // Each client's own authorities count for its own registry only.
  const accessWith = (own: string | undefined): RegistryAccess => {
    if (!own) return access
    const trusting = clientWith(own)
    return { ...access, get: async (url, asked) => (await trusting()).get(url, asked) }
  }
  return {
    artifacts,
    access,
    archive,
    debs,
    npm: once(async () => {
      const defaultRegistry = () =>
        fromDebian(debs, home, NPM, async path => npmRegistryIn(await readFile(path, 'utf8')))
      const settings = await readNpmSettings({ ...places, node, defaultRegistry })
      return openNpmRegistry(settings, accessWith(settings.certificates))
    }),
    maven: once(async () => {
      const superPom = () => fromDebian(debs, home, SUPER_POM, superPomIn)
      return openMavenRepositories(await readMavenRepositories({ ...places, superPom }), access)
    }),
    pypi: once(async () => {
      const defaultIndex = () => fromDebian(debs, home, PIP, indexOfPip)
      const settings = await readPypiSettings({ ...places, defaultIndex })
      return openPypiIndex(settings, accessWith(settings.certificates))
    }),
    goModules: once(async () => {
      const defaults = () => fromDebian(debs, home, GO_ENV, path => readFile(path, 'utf8'))
      return openGoModules(await readGoSettings({ ...places, defaults }), access)
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map(each => each[Symbol.asyncDispose]()))
    },
  }
}

interface Carrier {
  readonly name: string
  readonly file: RegExp
}

/** Where the defaults of Maven, pip, npm and Go are written, on machines that have none of them: in Debian's packages of them. */
const SUPER_POM: Carrier = { name: 'libmaven3-core-java', file: /\/maven3?-model-builder[\w.-]*\.jar$/ }
const GO_ENV: Carrier = { name: 'golang-1.24-go', file: /\/go\.env$/ }
const NPM: Carrier = { name: 'npm', file: /\/npm\/lib\/utils\/config\/definitions\.js$/ }
const PIP: Carrier = { name: 'python3-pip-whl', file: /\/pip-[\w.-]*\.whl$/ }

async function fromDebian(
  debs: () => Promise<DebianPackages>,
  home: string,
  { name, file }: Carrier,
  read: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const archive = await debs()
  const [newest] = await archive.find('trixie', 'amd64', [name])
  if (!newest) return undefined
  const { path } = await archive.fetch(newest)
  await using directory = await temporaryDirectory(join(home, 'indices'), '.unpack-')
  for await (const entry of archive.read(path)) {
    if (entry.type !== 'file' || !file.test(entry.name.toString('utf8'))) continue
    const { content } = await stage({ directory: directory.path, count: 0 }, entry.content, false)
    const found = await read(content)
    if (found !== undefined) return found
  }
  return undefined
}

async function indexOfPip(wheel: string): Promise<string | undefined> {
  await using archive = await openZip(wheel)
  const entry = archive.find('pip/_internal/models/index.py')
  return entry && indexIn((await archive.read(entry)).toString('utf8'))
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    made.catch(() => {
      made = undefined
    })
    return made
  }
}
