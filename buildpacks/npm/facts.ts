import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BuildContext,
  digestOf,
  type NpmLock,
  readNodePackage,
  sourceDigest,
  variablesDigest,
} from '#sdk'
import type { Npm } from './program.ts'
import type { Project } from './project.ts'
import type { Settings } from './settings.ts'

/** Scripts of a project that npm runs by itself when it installs (npm documentation, "scripts", life cycle of npm ci). */
const LIFECYCLE = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
  'dependencies',
]

/** Directories of the project's own packages: itself and its workspaces. */
export function ownDirectories({ packages }: NpmLock): string[] {
  const places = [...packages.keys()].filter(
    place => !/(?:^|\/)node_modules\//.test(place) && !place.split('/').includes('..'),
  )
  return [...new Set(['', ...places])].sort()
}

/** True if installing runs scripts of the project itself; what they do may follow from any of its files. */
export async function runsOwnScripts({ directory }: Project, lock: NpmLock): Promise<boolean> {
  for (const place of ownDirectories(lock)) {
    const scripts = (await readNodePackage(join(directory, place)))?.scripts ?? {}
    if (LIFECYCLE.some(name => Object.hasOwn(scripts, name))) return true
  }
  return false
}

/** Everything that installed packages follow from. The files of the project are among them only where its own scripts run. */
export async function installFacts(
  { platform, target }: BuildContext,
  { directory }: Project,
  lock: NpmLock,
  { versions }: Npm,
  { digests }: Settings,
  ownScripts: boolean,
): Promise<Record<string, string>> {
  const packages = await Promise.all(
    ownDirectories(lock).map(place =>
      readFile(join(directory, place, 'package.json'), 'utf8').catch(() => ''),
    ),
  )
  return {
    ...versions,
    arch: target.arch,
    'lock-sha256': digestOf(lock.text),
    'packages-sha256': digestOf(JSON.stringify(packages)),
    'variables-sha256': await variablesDigest(platform),
    ...digests,
    ...(ownScripts && { 'source-sha256': await sourceDigest(directory) }),
  }
}
