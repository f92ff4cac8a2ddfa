import { join } from 'node:path'
import * as v from 'valibot'
import { check, parseJson, readIfExists } from '#std'
import { basicFrom, type Credential } from './credential.ts'
import { hostOfKey, pathOfKey } from './keys.ts'
import { readingSecrets } from './problems.ts'

const text = v.nullish(v.string())
const auth = v.nullish(
  v.looseObject({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text }),
)
const schema = v.looseObject({
  auths: v.nullish(v.record(v.string(), auth)),
  credHelpers: v.nullish(v.record(v.string(), v.string())),
  credsStore: text,
})

/** A file of credentials: `config.json` of Docker, or `auth.json` of Podman and its kin (containers-auth.json(5)). */
export interface CredentialFile {
  readonly path: string
  /** What the file itself holds for a repository of a host; the entry that says most about the repository. */
  stored(host: string, repository: string): Credential | undefined
  /** The program that keeps what opens the host: `docker-credential-<name>`. */
  helper(host: string): string | undefined
}

/** Reads the files of credentials that this user has, those of Docker first. Throws a `Problem` where one is there and cannot be read. */
export async function readCredentialFiles(
  environment: Readonly<Record<string, string | undefined>>,
  userHome: string,
): Promise<CredentialFile[]> {
  const { DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME } = environment
  const places = [
    join(DOCKER_CONFIG || join(userHome, '.docker'), 'config.json'),
    REGISTRY_AUTH_FILE || (XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, 'containers/auth.json')),
    join(XDG_CONFIG_HOME || join(userHome, '.config'), 'containers/auth.json'),
  ]
  const files: CredentialFile[] = []
  for (const path of places) {
    const content = path ? await readIfExists(path) : undefined
    if (path && content?.trim()) files.push(parseCredentialFile(content, path))
  }
  return files
}

/** Reads one file of credentials. Throws a `Problem` (`CREDENTIALS_UNREADABLE`). */
export function parseCredentialFile(content: string, path: string): CredentialFile {
  const { auths, credHelpers, credsStore } = readingSecrets(path, () =>
    check(schema, parseJson(content, path), path),
  )
  const entries = Object.entries(auths ?? {}).map(([key, value]) => ({
    host: hostOfKey(key),
    path: pathOfKey(key),
    value,
  }))
  const helpers = new Map(Object.entries(credHelpers ?? {}).map(([key, name]) => [hostOfKey(key), name]))
  return {
    path,
    stored(host, repository) {
      const fitting = entries.filter(
        each =>
          each.host === host &&
          (each.path === '' || repository === each.path || repository.startsWith(`${each.path}/`)),
      )
      const best = fitting.toSorted((a, b) => b.path.length - a.path.length)
      return best.map(each => credentialOf(each.value)).find(each => each !== undefined)
    },
    helper: host => helpers.get(host) || credsStore || undefined,
  }
}

function credentialOf(value: v.InferOutput<typeof auth>): Credential | undefined {
  if (!value) return undefined
  if (value.registrytoken) return { kind: 'bearer', token: value.registrytoken }
  if (value.identitytoken) return { kind: 'identity', token: value.identitytoken }
  if (value.auth) return basicFrom(value.auth)
  return value.username
    ? { kind: 'basic', username: value.username, password: value.password ?? '' }
    : undefined
}
