import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, digestOf, isSystemError, readIfExists } from '#sdk'

/** What npm is told besides the project's own `.npmrc`. */
export interface Settings {
  readonly variables: Readonly<Record<string, string>>
  /**
   * The digest of the project's own file, which may hold a credential. A binding has none: the lock says what is installed, and people with different
   * credentials get the same image.
   */
  readonly digests: Readonly<Record<string, string>>
}

/**
 * The settings of npm: those of a binding of type `npmrc` (entry `.npmrc`), which come before the machine's registry (`SLIPWAY_NPM_REGISTRY`, from the platform) and after the
 * project's own. `kept` is a directory that is no part of the image.
 */
export async function npmSettings(
  { bindings, environment }: Pick<BuildContext, 'bindings' | 'environment'>,
  project: string,
  kept: string,
): Promise<Settings> {
  const variables: Record<string, string> = {}
  const digests: Record<string, string> = {}
  const own = await readIfExists(join(project, '.npmrc'))
  if (own !== undefined) digests['npmrc-sha256'] = digestOf(own)
  const binding = bindings.only('npmrc')
  const file = binding?.path('.npmrc') ?? binding?.path('npmrc')
  if (file) variables.npm_config_userconfig = file
  const registry = environment.SLIPWAY_NPM_REGISTRY
  if (registry) {
    const global = join(kept, 'npmrc')
    await writeFile(global, `registry=${registry}\n`)
    variables.npm_config_globalconfig = global
  }
  return { variables, digests }
}

/** Removes the project's `.npmrc` where it holds a credential itself, and says whether it did: what is in the app is in the image. */
export async function removeCredentials(project: string): Promise<boolean> {
  const path = join(project, '.npmrc')
  const text = (await readIfExists(path)) ?? ''
  if (!/^\s*[^;#\n]*(?:_authToken|_auth|_password)\s*=\s*(?!["']?\$\{[^}]*\}["']?\s*$)\S/m.test(text))
    return false
  await rm(path).catch(error => {
    if (!isSystemError(error, 'ENOENT')) throw error
  })
  return true
}
