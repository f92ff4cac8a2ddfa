import type { Platform } from '#oci'
import { Problem } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'

/**
 * Reads `OS/ARCH[/VARIANT]` of a build. Buildpacks run on this machine, so that its own is the only one; a variant chooses among images of an index. Throws a
 * `Problem` (`PLATFORM_INVALID`, `PLATFORM_OTHER`).
 */
export function parsePlatform(text: string): Platform {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9]+))?$/.exec(text) ?? []
  if (os === undefined || architecture === undefined)
    throw new Problem('PLATFORM_INVALID', {
      what: `Cannot build for ${JSON.stringify(text.slice(0, 100))}`,
      why: 'it is not OS/ARCH',
      fix: `Write --platform linux/${machineArchitecture()}, for example.`,
      exitCode: 2,
    })
  if (os !== 'linux' || architecture !== machineArchitecture())
    throw new Problem('PLATFORM_OTHER', {
      what: `Cannot build for ${os}/${architecture}`,
      why: `this machine is linux/${machineArchitecture()}, and buildpacks run on it as they are`,
      fix: `Build on a machine that is ${os}/${architecture}.`,
      exitCode: 3,
    })
  return { os, architecture, ...(variant !== undefined && { variant }) }
}
