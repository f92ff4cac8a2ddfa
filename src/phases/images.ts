import { arch as machineArchitecture } from 'node:os'
import {
  type ConnectSocket,
  type DaemonStore,
  type ImageStore,
  openDaemon,
  openRegistries,
  parseReference,
  type Registries,
  type StoredImage,
} from '#oci'
import { Problem, readIfExists } from '#std'
import type { PhaseInputs } from './inputs.ts'
import { LayoutImages } from './layout-images.ts'
import { experimental, inputInvalid } from './problems.ts'

/** Where a phase reads and writes images: a registry, a daemon, or layouts on disk. */
export interface Images extends AsyncDisposable {
  readonly kind: 'registry' | 'daemon' | 'layout'
  readonly store: ImageStore
  /** The image of a name, or of what `identify` gave. */
  find(reference: string): Promise<StoredImage | undefined>
  /** Lets the layers of an earlier image be taken for those that are to be made. */
  reuse(image: StoredImage): void
  /** How exactly an image can be named, as labels and analyzed.toml have it. */
  identify(name: string, image: StoredImage): string
  /** True if the image can be read with the credentials at hand; one that is not there counts as readable, as in the reference. */
  canRead(name: string): Promise<boolean>
  /** Throws a `Problem` unless an image of this name may be written. */
  requireWrite(name: string): Promise<void>
  /** The place of a cache image, which is in a registry whatever the others are. */
  cacheStore(name: string): ImageStore
}

/** What images are opened with besides the inputs. */
export interface ImagesGround {
  /** With the credentials in `CNB_REGISTRY_AUTH` where files of them cannot be read later. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly warn: (text: string) => void
  readonly signal: AbortSignal
  /** Opens the daemon's socket where this process may not. */
  readonly connect?: ConnectSocket | undefined
}

/** Where distributions keep the authorities that this machine trusts. */
const AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]

/**
 * Opens the place that the inputs name. `target` is the image that will be written first. Throws a `Problem` (`PHASE_EXPERIMENTAL`, `PHASE_INPUT_INVALID`,
 * `DAEMON_UNREACHABLE`).
 */
export async function openImages(inputs: PhaseInputs, target: string, ground: ImagesGround): Promise<Images> {
  const registries = openBuildRegistries(inputs, ground)
  const shared = {
    cacheStore: (name: string) => registries.store(parseReference(name)),
    [Symbol.asyncDispose]: () => registries[Symbol.asyncDispose](),
  }
  if (inputs.layout) return { ...layoutImages(inputs, target, ground), ...shared }
  if (!inputs.daemon) return { ...registryImages(registries, target), ...shared }
  const { environment, signal, connect } = ground
  const daemon = await openDaemon({ environment, signal, staging: '/tmp', ...(connect && { connect }) })
  return {
    ...daemonImages(daemon),
    ...shared,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]()
      await registries[Symbol.asyncDispose]()
    },
  }
}

type Place = Omit<Images, 'cacheStore' | typeof Symbol.asyncDispose>

function openBuildRegistries({ insecureRegistries }: PhaseInputs, ground: ImagesGround): Registries {
  const { environment, warn, signal } = ground
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
  const arch = machineArchitecture()
  return openRegistries({
    ...{ environment, warn, signal, insecure: insecureRegistries },
    userHome: environment.HOME || '/',
    platform: { os: 'linux', architecture: names[arch] ?? arch },
    async certificates() {
      const files = environment.SSL_CERT_FILE ? [environment.SSL_CERT_FILE] : AUTHORITIES
      for (const file of files) {
        const text = await readIfExists(file)
        if (text !== undefined) return text
      }
      return undefined
    },
  })
}

function registryImages(registries: Registries, target: string): Place {
  const store = registries.store(parseReference(target))
  return {
    kind: 'registry',
    store,
    find: reference => store.image(reference),
    reuse: image => store.reuse(image),
    identify(name, { digest }) {
      const { registry, repository } = parseReference(name)
      return `${registry}/${repository}@${digest}`
    },
    async canRead(name) {
      try {
        await store.resolve(name)
        return true
      } catch (error) {
        if (error instanceof Problem) return false
        throw error
      }
    },
    async requireWrite(name) {
      const { registry, repository } = parseReference(name)
      const host = registries.host(registry)
      const scopes = [`repository:${repository}:pull,push`]
      const place = `/v2/${repository}/blobs/uploads/`
      const headers = { 'content-length': '0' }
      const answer = await host.send({ method: 'POST', place, repository, scopes, headers })
      if (answer.status !== 202 && answer.status !== 201)
        throw await host.problemOf(answer, 'upload to', name, repository)
      answer.body.resume()
    },
  }
}

/** A daemon names images by their IDs, and the reference writes these without the algorithm. */
function daemonImages(store: DaemonStore): Place {
  return {
    kind: 'daemon',
    store,
    find: reference => store.image(/^[0-9a-f]{64}$/.test(reference) ? `sha256:${reference}` : reference),
    reuse() {},
    identify: (_, { digest }) => digest.replace('sha256:', ''),
    canRead: async () => true,
    requireWrite: async () => {},
  }
}

function layoutImages({ layoutDirectory }: PhaseInputs, target: string, ground: ImagesGround): Place {
  const mode = ground.environment.CNB_EXPERIMENTAL_MODE || 'error'
  if (mode === 'error') throw experimental('images on disk (-layout)')
  if (mode !== 'quiet' && mode !== 'silent')
    ground.warn("Platform requested experimental feature 'export to OCI layout format'")
  if (layoutDirectory === undefined)
    throw inputInvalid('-layout needs a directory', 'Name it with -layout-dir or CNB_LAYOUT_DIR.')
  const store = new LayoutImages(layoutDirectory, target)
  return {
    kind: 'layout',
    store,
    find: reference => store.image(reference),
    reuse() {},
    identify: (name, image) => store.identify(name, image),
    canRead: async () => true,
    requireWrite: async () => {},
  }
}

/** The registries of references, each once. */
export function registriesOf(names: readonly string[]): string[] {
  return [...new Set(names.map(name => parseReference(name).registry))]
}
