import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKeychain } from '../../credentials/keychain.ts'
import { parseRegistry, type Repository } from '../../reference.ts'
import { Authorization } from './authorization.ts'
import { Connections } from './connections.ts'
import { type DocumentMemory, noDocuments } from './document-memory.ts'
import { RegistryHost } from './host.ts'
import { type LayerMemory, shortMemory } from './layer-memory.ts'
import type { Platform } from './platform.ts'
import { RegistryStore } from './registry-store.ts'
import { readRegistrySettings, type SettingsOf } from './settings.ts'

/** What registries are reached with. All of it is handed in; nothing is read from the process. */
export interface RegistriesOptions {
  /** For credentials (`CNB_REGISTRY_AUTH`, `DOCKER_CONFIG`, what helpers need) and proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The home directory of the user, for `.docker/config.json` and `certs.d`. */
  readonly userHome: string
  /** Which image of an index is meant. */
  readonly platform: Platform
  /** Hosts that may be spoken to without TLS, or with a certificate that nobody vouches for. Loopback addresses may always go without TLS. */
  readonly insecure?: readonly string[]
  /** PEM text of further authorities; asked for when a connection first needs it. */
  readonly certificates?: () => Promise<string | undefined>
  /** Which blob a layer became when it was made before, so that it is neither made nor sent again. By default nothing is known. */
  readonly memory?: LayerMemory
  /** Small blobs that were read before; none unless it is given. */
  readonly documents?: DocumentMemory
  /** Told what is odd and does not end anything. */
  readonly warn?: (text: string) => void
  readonly signal?: AbortSignal
  /** How often a failed attempt is repeated, and the milliseconds before the first repetition. */
  readonly retries?: number
  readonly patience?: number
}

/** All registries, as this user reaches them; disposal closes the connections. */
export interface Registries extends AsyncDisposable {
  /**
   * The registry of a reference as an `ImageStore` whose layers go to its repository:
   *
   *     const store = registries.store(parseReference('ghcr.io/team/shop'))
   *     const previous = await store.image('ghcr.io/team/shop:latest')   // undefined if there is none
   *     if (previous) store.reuse(previous)                              // its layers are found by diffID
   *     const layer = await store.addLayer(() => tar())                  // hash, gzip and upload in one pass
   *     await store.write(image, ['ghcr.io/team/shop:1', 'ghcr.io/team/shop:latest'])
   *
   * Stores of the same repository are one object, so that what one has learned is known to all. Nothing is asked before it is needed.
   */
  store(place: Repository): RegistryStore
  /** Where the credentials for a host come from, in words; undefined if there are none. */
  credentialSource(registry: string): Promise<string | undefined>
  /** One registry, for requests that are about no image. */
  host(registry: string): RegistryHost
}

const LONGEST_WAIT = 60

/** Opens the way to registries. Costs nothing until the first request. */
export function openRegistries(options: RegistriesOptions): Registries {
  const {
    environment,
    userHome,
    signal,
    patience = 500,
    warn,
    memory = shortMemory(),
    platform,
    documents = noDocuments,
  } = options
  let read: Promise<SettingsOf> | undefined
  const settings = async (name: string) => {
    read ??= readRegistrySettings(environment, userHome, options.insecure ?? [])
    return (await read)(name)
  }
  const connections = new Connections({
    environment,
    certificates: options.certificates,
    certificateDirectories: certificateDirectories(userHome),
    insecure: async name => (await settings(name)).insecure,
    retries: options.retries,
    patience,
  })
  const keychain = openKeychain({ environment, userHome, ...(warn && { warn }) })
  const hosts = new Map<string, RegistryHost>()
  const stores = new Map<string, RegistryStore>()
  const host = (registry: string) => {
    const name = parseRegistry(registry)
    const known = hosts.get(name)
    if (known) return known
    const authorization = new Authorization({
      host: name,
      keychain,
      connections,
      tokenServers: async () => (await settings(name)).tokenServers,
    })
    const opened = new RegistryHost({
      name,
      connections,
      authorization,
      insecure: async () => (await settings(name)).insecure,
      signal,
    })
    hosts.set(name, opened)
    return opened
  }
  const wait = async (attempt: number, seconds: number) => {
    const milliseconds = Math.max(patience * 2 ** attempt, Math.min(seconds, LONGEST_WAIT) * 1000)
    await sleep(milliseconds, undefined, signal ? { signal } : {})
  }
  return {
    host,
    credentialSource: name => keychain.find(parseRegistry(name)).then(found => found?.source),
    store({ registry, repository }) {
      const key = `${registry}/${repository}`
      const known = stores.get(key)
      if (known) return known
      const opened = new RegistryStore({
        place: { registry, repository },
        host,
        memory,
        documents,
        platform,
        wait,
        mirrors: async name => (await settings(name)).mirrors,
      })
      stores.set(key, opened)
      return opened
    },
    async [Symbol.asyncDispose]() {
      await connections[Symbol.asyncDispose]()
    },
  }
}

/** Where Docker, rootless Docker and Podman look for certificates of registries (docker docs "certificates", containers-certs.d(5)). */
function certificateDirectories(userHome: string): string[] {
  return [
    join(userHome, '.docker/certs.d'),
    join(userHome, '.config/docker/certs.d'),
    join(userHome, '.config/containers/certs.d'),
    '/etc/docker/certs.d',
    '/etc/containers/certs.d',
  ]
}
