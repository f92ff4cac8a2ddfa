import { readIfExists } from '#std'
import { unknownPlatformArchitecture } from './problems.ts'

/** What the image will run on (`CNB_TARGET_*`; what the lifecycle leaves open is asked of the machine that builds). */
export interface Target {
  readonly os: string
  readonly arch: 'amd64' | 'arm64'
  readonly variant: string
  readonly distro: { readonly name: string; readonly version: string }
}

/** Reads the target. Throws a `Problem` (`TARGET_UNKNOWN`) for a machine that nothing is made for. */
export async function readTarget(
  environment: Readonly<Record<string, string | undefined>>,
  machine: string,
  osRelease = '/etc/os-release',
): Promise<Target> {
  const named = environment.CNB_TARGET_ARCH || machine
  const arch = named === 'x64' ? 'amd64' : named
  if (arch !== 'amd64' && arch !== 'arm64') throw unknownPlatformArchitecture(arch)
  const name = environment.CNB_TARGET_DISTRO_NAME
  const version = environment.CNB_TARGET_DISTRO_VERSION
  const here = name && version ? {} : parseOsRelease((await readIfExists(osRelease)) ?? '')
  return {
    os: environment.CNB_TARGET_OS || 'linux',
    arch,
    variant: environment.CNB_TARGET_ARCH_VARIANT ?? '',
    distro: { name: name || here.ID || '', version: version || here.VERSION_ID || '' },
  }
}

function parseOsRelease(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(.*))$/gm)]
  return Object.fromEntries(pairs.map(([, name, a, b, c]) => [name, a ?? b ?? c ?? '']))
}
