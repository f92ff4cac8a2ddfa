import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { chooseRegistryEntry, parseRegistryIndex, registryIndexPath } from '#cnb'
import { isSystemError, readAll, redact } from '#std'
import type { PackagingContext, PackagingOptions } from './context.ts'
import { notInRegistryIndex } from './problems.ts'

/** The public index of buildpacks, which pack asks too. */
const PUBLIC = 'https://github.com/buildpacks/registry-index'
const LARGEST = 4 << 20

/** What an index is read with. */
export interface RegistryIndexAccess {
  readonly options: Pick<PackagingOptions, 'buildpackRegistry' | 'workingDirectory' | 'signal'>
  readonly sources: () => Promise<{
    readonly access: Pick<Awaited<ReturnType<PackagingContext['sources']>>['access'], 'get'>
  }>
}

/**
 * The image of a buildpack that a registry index lists (CNB registry specification), by digest. The index is a directory (a clone of its repository), an address
 * below which its files are, or a repository on GitHub. Throws a `Problem` (`REGISTRY_ID_UNKNOWN`, or what reaching it throws).
 */
export async function findInRegistryIndex(
  id: string,
  version: string | undefined,
  context: RegistryIndexAccess,
): Promise<string> {
  const registry = context.options.buildpackRegistry ?? PUBLIC
  const [namespace = '', name = '', ...more] = id.split('/')
  if (name === '' || more.length > 0)
    throw notInRegistryIndex(
      id,
      redact(registry),
      'ids of registries have the form NAMESPACE/NAME, so it is not',
    )
  const path = registryIndexPath(namespace, name)
  const text = await read(registry, path, context)
  if (text === undefined) throw notInRegistryIndex(id, redact(registry), 'it is not')
  const entry = chooseRegistryEntry(parseRegistryIndex(text, `${path} of ${redact(registry)}`), version)
  if (!entry) {
    const why =
      version === undefined ? 'no version of it is left' : `version ${version} is not, or no longer,`
    throw notInRegistryIndex(id, redact(registry), why)
  }
  return entry.address
}

async function read(
  registry: string,
  path: string,
  context: RegistryIndexAccess,
): Promise<string | undefined> {
  if (/^https?:/.test(registry)) return download(`${addressOf(registry)}/${path}`, context)
  const directory = registry.startsWith('file:') ? new URL(registry).pathname : registry
  try {
    return await readFile(join(resolve(context.options.workingDirectory, directory), path), 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Files of a repository on GitHub are served elsewhere. */
function addressOf(registry: string): string {
  const found = /^https:\/\/github\.com\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(registry)
  return found
    ? `https://raw.githubusercontent.com/${found[1]}/${found[2]}/HEAD`
    : registry.replace(/\/+$/, '')
}

async function download(url: string, context: RegistryIndexAccess): Promise<string | undefined> {
  const { access } = await context.sources()
  const { signal } = context.options
  const { status, body } = await access.get(url, signal ? { signal } : {})
  if (status !== 200) {
    body.on('error', () => {}).destroy()
    if (status === 404) return undefined
    throw notInRegistryIndex(url, redact(url), `the server answers ${status} for it`)
  }
  return (await readAll(limited(body))).toString()
}

async function* limited(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > LARGEST) throw new Error(`a file of the index is larger than ${LARGEST} bytes`)
    yield chunk
  }
}
