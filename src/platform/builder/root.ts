import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Image } from '#oci'
import { isSystemError } from '#std'
import { builderInvalid } from '../problems.ts'
import { findInRoot } from '../roots/root-files.ts'
import type { Unpacked } from '../roots/unpacked.ts'
import { findUser, type ImageUser } from '../run/image-user.ts'

/** A root file system that buildpacks run in, read-only. */
export interface BuildRoot {
  readonly directory: string
  /** Variables of its image. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly user: Pick<ImageUser, 'uid' | 'gid' | 'home'>
}

/** Where things are mounted whatever a builder has; the last ones are files. */
const DIRECTORIES = ['proc', 'dev', 'sys', 'run', 'tmp', 'var/tmp', 'workspace', 'layers', 'platform', 'cnb']
const FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'etc/ssl/certs/ca-certificates.crt']

/**
 * Unpacks a builder image, once per machine, into a directory to be the root of sandboxes, with all that is mounted on when buildpacks run. Nothing of it is ever
 * started but by buildpacks. The user is the one of `CNB_USER_ID` and `CNB_GROUP_ID`, with the home that its /etc/passwd says. Throws a
 * `Problem` (`BUILDER_INVALID`, `RUN_USER_UNKNOWN`, `LAYER_REFUSED`, …).
 */
export async function openBuilderRoot(
  image: Image,
  name: string,
  environment: ReadonlyMap<string, string>,
  unpacked: Unpacked,
): Promise<BuildRoot> {
  const numbers = ['CNB_USER_ID', 'CNB_GROUP_ID'].map(variable => {
    const value = environment.get(variable) ?? ''
    if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value)
    throw builderInvalid(name, `its environment has no ${variable} that is a number above 0`)
  })
  const [uid = 0, gid = 0] = numbers
  const home = async (root: string) => {
    const found = (await findUser([root], `${uid}:${gid}`)).home
    return found === '/' ? '/home/cnb' : found
  }
  const directory = await unpacked.whole(
    image.layers,
    `to run buildpacks in as ${uid}:${gid}`,
    async root => {
      for (const path of [...DIRECTORIES, (await home(root)).slice(1)]) await makeDirectory(root, path)
      for (const path of FILES) await makeFile(root, path)
    },
  )
  return {
    directory,
    environment: Object.fromEntries(environment),
    user: { uid, gid, home: await home(directory) },
  }
}

/** Makes a directory where nothing is. A link or file on the way stays as it is: the mount will say so. */
async function makeDirectory(root: string, path: string): Promise<boolean> {
  let place = root
  for (const step of path.split('/')) {
    place = join(place, step)
    const stats = await statsOf(place)
    if (!stats) await mkdir(place, { mode: 0o755 })
    else if (!stats.isDirectory()) return false
  }
  return true
}

/** Makes an empty file where nothing is, or a link that leads nowhere, as images have for the resolver's settings. */
async function makeFile(root: string, path: string): Promise<void> {
  if (!(await makeDirectory(root, path.split('/').slice(0, -1).join('/')))) return
  const place = join(root, path)
  const stats = await statsOf(place)
  if (stats?.isSymbolicLink() && !(await findInRoot([root], `/${path}`))) await rm(place)
  else if (stats) return
  await writeFile(place, '', { flag: 'wx', mode: 0o644 })
}

async function statsOf(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}
