import { basicHeader, type Credential, type Keychain, openKeychain, parseReference } from '#oci'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The variables with the credentials of these images' registries in `CNB_REGISTRY_AUTH` (CNB platform specification): found by a process that may still read the
 * files of root, for what becomes another user.
 */
export async function withCredentials(
  environment: Variables,
  names: readonly string[],
  warn: (text: string) => void,
): Promise<Variables> {
  const keychain = openKeychain({ environment, userHome: environment.HOME || '/', warn })
  const found = await credentialsOf(keychain, names)
  return Object.keys(found).length === 0
    ? environment
    : { ...environment, CNB_REGISTRY_AUTH: JSON.stringify(found) }
}

async function credentialsOf(keychain: Keychain, names: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const { registry, repository } = parseReference(name)
    const credential =
      found[registry] === undefined ? await keychain.credential(registry, repository) : undefined
    if (credential) found[registry] = headerOf(credential)
  }
  return found
}

function headerOf(credential: Credential): string {
  if (credential.kind === 'basic') return basicHeader(credential)
  return `${credential.kind === 'bearer' ? 'Bearer' : 'X-Identity'} ${credential.token}`
}
