import { lstat } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { isSystemError, type Manifest, Problem, readManifest } from '#sdk'

/** An unpacked Spring Boot application, as its manifest tells it. */
export interface SpringBootApplication {
  readonly directory: string
  readonly version: string
  readonly manifest: Manifest
  /** Directories of its classes and of its libraries, relative to it. */
  readonly classes: string
  readonly libraries: string
  /** The file that says how to cut it into layers, if it has one. */
  readonly layersIndex?: string
}

/** Reads the application in a directory; `undefined` where it is none of Spring Boot's. */
export async function readApplication(directory: string): Promise<SpringBootApplication | undefined> {
  const manifest = await readManifest(directory)
  const version = manifest?.get('Spring-Boot-Version')
  if (!manifest || !version) return undefined
  const layersIndex = manifest.get('Spring-Boot-Layers-Index')
  return {
    directory,
    version,
    manifest,
    classes: within(manifest.get('Spring-Boot-Classes') ?? 'BOOT-INF/classes/', 'Spring-Boot-Classes'),
    libraries: await realDirectory(
      directory,
      within(manifest.get('Spring-Boot-Lib') ?? 'BOOT-INF/lib/', 'Spring-Boot-Lib'),
    ),
    ...(layersIndex && { layersIndex: within(layersIndex, 'Spring-Boot-Layers-Index') }),
  }
}

/** A path of a manifest, which may not leave the application. */
function within(path: string, attribute: string): string {
  const clean = normalize(path).replace(/\/+$/, '')
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../') || clean.includes('\0'))
    throw manifestRefused(attribute, `${JSON.stringify(path.slice(0, 200))} leads out of the application`)
  return clean
}

/** Libraries are added to the directory, so it has to be one, at every step. */
async function realDirectory(root: string, path: string): Promise<string> {
  for (let place = path; place !== '.' && place !== ''; place = join(place, '..')) {
    try {
      if ((await lstat(join(root, place))).isDirectory()) continue
      throw manifestRefused('Spring-Boot-Lib', `${place} is not a directory`)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }
  return path
}

function manifestRefused(attribute: string, why: string): Problem {
  return new Problem('MANIFEST_REFUSED', {
    what: `Cannot use ${attribute} of META-INF/MANIFEST.MF`,
    why,
    fix: 'Package the application with the plugin of Spring Boot, which writes this line.',
  })
}
