import { Problem } from '#std'
import { DEFAULT_REGISTRY } from '../reference.ts'
import type { Credential } from './credential.ts'
import { type CredentialFile, readCredentialFiles } from './docker-config.ts'
import { askHelper } from './helper.ts'
import { parseRegistryAuth } from './registry-auth.ts'

/** What opens registries. Nothing is read, and no program asked, before a registry demands it. */
export interface Keychain {
  /** For one repository of exactly this host; undefined where nothing is known. */
  credential(host: string, repository?: string): Promise<Credential | undefined>
  /** The same, and in words where it was found. */
  find(
    host: string,
    repository?: string,
  ): Promise<{ readonly credential: Credential; readonly source: string } | undefined>
}

export interface KeychainOptions {
  /** For `CNB_REGISTRY_AUTH`, `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`, and what credential helpers need. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly userHome: string
  /** Told about a helper that does not work; whoever asks goes on without a credential. */
  readonly warn?: (text: string) => void
}

/**
 * The credentials of this user, in the order of the CNB platform specification: `CNB_REGISTRY_AUTH`, then Docker's `config.json` (`credHelpers`, `credsStore`,
 * `auths`), then Podman's `auth.json`. A helper that fails never makes another host's credential be taken. Throws a `Problem` where one of these cannot be read.
 */
export function openKeychain({ environment, userHome, warn = () => {} }: KeychainOptions): Keychain {
  let files: Promise<CredentialFile[]> | undefined
  let given: Map<string, Credential> | undefined
  const asked = new Map<string, Promise<Credential | undefined>>()

  const fromHelper = (name: string, host: string) => {
    const key = `${name} ${host}`
    const known = asked.get(key)
    if (known) return known
    const server = host === DEFAULT_REGISTRY ? 'https://index.docker.io/v1/' : host
    const asking = askHelper(name, server, environment).catch(error => {
      if (!(error instanceof Problem)) throw error
      warn(`${error.message}; going on without it`)
      return undefined
    })
    asked.set(key, asking)
    return asking
  }
  const find: Keychain['find'] = async (host, repository = '') => {
    given ??= parseRegistryAuth(environment.CNB_REGISTRY_AUTH || '{}')
    const first = given.get(host)
    if (first) return { credential: first, source: 'CNB_REGISTRY_AUTH' }
    files ??= readCredentialFiles(environment, userHome)
    for (const file of await files) {
      const helper = file.helper(host)
      const kept = helper && (await fromHelper(helper, host))
      if (kept) return { credential: kept, source: `docker-credential-${helper}, named by ${file.path}` }
      const stored = file.stored(host, repository)
      if (stored) return { credential: stored, source: file.path }
    }
    return undefined
  }
  return { find, credential: async (host, repository) => (await find(host, repository))?.credential }
}
