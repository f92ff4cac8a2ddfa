import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { describeTarget, type Target } from '#cnb'
import { isDirectory } from '#std'
import type { PackagingContext } from './context.ts'
import { packageWrong } from './problems.ts'

/** What decides for which targets something is made. */
export interface TargetChoice {
  readonly name: string
  readonly format: 'image' | 'file'
  readonly publish: boolean
  readonly targets: readonly Target[]
  readonly appendSuffix: boolean
}

/**
 * The targets to make something for, as pack chooses them: those that the person named, else the buildpack's own; each distribution apart. The store gets the one of
 * this machine only. Throws a `Problem` (`PACKAGE_INVALID`).
 */
export function chooseTargets(
  { name, format, publish, targets }: TargetChoice,
  own: readonly Target[],
  { platform }: PackagingContext,
): readonly Target[] {
  const all = targets.length > 0 ? targets : own
  if (all.length === 0) return [{ os: 'linux', distros: [] }]
  const foreign = all.find(({ os }) => os !== undefined && os !== 'linux')
  if (foreign)
    throw packageWrong(name, `its target ${describeTarget(foreign)} is not Linux`, 'Name Linux targets only.')
  if (format === 'file' || publish) return all.flatMap(apart)
  const fits = (target: Target) =>
    (target.os ?? 'linux') === platform.os && (target.arch ?? platform.architecture) === platform.architecture
  const found = all.find(fits)
  if (found) return [found]
  throw packageWrong(
    name,
    `none of its targets (${all.map(describeTarget).join(', ')}) is ${platform.os}/${platform.architecture}, this machine's`,
    'Write it to a file (--format file) or to a registry (--publish), or name a target with --target.',
  )
}

function apart(target: Target): Target[] {
  return target.distros.length > 1
    ? target.distros.map(distro => ({ ...target, distros: [distro] }))
    : [target]
}

/** The name for one of several targets: files always differ, images of a registry where that is wished for. */
export function nameForTarget(
  { name, format, appendSuffix }: TargetChoice,
  target: Target,
  several: boolean,
): string {
  if (format === 'file') {
    const extension = extname(name) === '' ? '.cnb' : extname(name)
    const stem = extname(name) === '' ? name : name.slice(0, -extension.length)
    return several
      ? `${stem}-${[target.os ?? 'linux', target.arch].filter(Boolean).join('-')}${extension}`
      : `${stem}${extension}`
  }
  if (!several || !appendSuffix) return name
  const tagged = /:[^/]*$/.test(name) ? name : `${name}:latest`
  const { os = 'linux', arch, variant, distros } = target
  const [distro] = distros
  const parts = [os, arch, variant, distro && [distro.name, distro.version].filter(Boolean).join('-')]
  return `${tagged}-${parts.filter(Boolean).join('-')}`
}

/**
 * The directory below a buildpack's that is for a target: `OS/ARCH/VARIANT/DISTRO@VERSION`, as deep as there is one; its descriptor is the one at the top.
 */
export async function platformView(
  directory: string,
  { os, arch, variant, distros }: Target,
  file: string,
): Promise<{ root: string; descriptor?: { name: string; text: string } }> {
  const [distro] = distros
  const parts = [os, arch, variant, distro && `${distro.name ?? ''}@${distro.version ?? ''}`].filter(
    part => part,
  )
  let root = directory
  for (const part of parts as string[]) {
    if (part === '..' || part.includes('/') || !(await isDirectory(join(root, part)))) break
    root = join(root, part)
  }
  if (root === directory) return { root }
  return { root, descriptor: { name: file, text: await readFile(join(directory, file), 'utf8') } }
}
