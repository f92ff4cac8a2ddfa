import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place, Places } from '#lifecycle'
import { ownedDirectory } from '#std'
import { DEPENDENCY_SOCKET, DEPENDENCY_TREES } from '../executables/dependencies.ts'
import { type BindingSource, writePlatformDirectory } from './platform-directory.ts'

/** The directories of one build; all gone when disposed. */
export interface BuildDirectory extends AsyncDisposable {
  readonly path: string
  readonly places: Places
}

/** What the platform directory of a build holds. */
export interface PlatformContents {
  readonly variables: Readonly<Record<string, string>>
  readonly bindings: readonly BindingSource[]
}

/**
 * Makes an empty workspace and layers directory, and the platform directory, below `<home>/builds`. What builds left that were
 * killed is removed first.
 */
export async function openBuildDirectory(
  home: string,
  { variables, bindings }: PlatformContents,
): Promise<BuildDirectory> {
  const directory = await ownedDirectory(join(home, 'builds'), '.build-')
  const place = (name: string, inside: string): Place => ({ host: join(directory.path, name), inside })
  const places = {
    app: place('workspace', '/workspace'),
    layers: place('layers', '/layers'),
    platform: place('platform', '/platform'),
  }
  try {
    for (const { host } of [places.app, places.layers]) await mkdir(host, { mode: 0o755 })
    await writePlatformDirectory(places.platform.host, variables, bindings)
    await makeMountPoints(places.platform)
    return { path: directory.path, places, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
  } catch (error) {
    await directory[Symbol.asyncDispose]()
    throw error
  }
}

/** The dependency server's socket and trees are mounted below the platform directory, which is read-only inside. */
async function makeMountPoints({ host, inside }: Place): Promise<void> {
  const below = (path: string) => join(host, path.slice(inside.length))
  await mkdir(below(DEPENDENCY_TREES), { recursive: true })
  await writeFile(below(DEPENDENCY_SOCKET), '')
}
