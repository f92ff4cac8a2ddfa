import { posix } from 'node:path'
import type { Mount } from '#sandbox'
import { Problem } from '#std'
import { parseVolume } from '../run/settings.ts'
import { type BindingSource, parseBinding } from './platform-directory.ts'

/** What `--volume` asks for. */
export interface BuildVolumes {
  readonly mounts: readonly Mount[]
  /** Directories that were to be mounted to `/platform/bindings/NAME`, the way of platforms without bindings of their own. */
  readonly bindings: readonly BindingSource[]
}

const BINDINGS = '/platform/bindings/'

/** What the lifecycle itself, or the sandbox, puts in place. */
const SENSITIVE = ['/cnb', '/layers', '/workspace', '/platform', '/proc', '/dev', '/sys', '/etc/passwd']

/**
 * Reads `HOST:PLACE[:ro|rw]` of a build, read-only by default as with pack; the place is absolute, and none that belongs to the build. Throws a `Problem`
 * (`VOLUME_REFUSED`, `RUN_VOLUME_INVALID`, `BINDING_INVALID`).
 */
export async function parseBuildVolumes(
  texts: readonly string[],
  workingDirectory: string,
): Promise<BuildVolumes> {
  const mounts: Mount[] = []
  const bindings: BindingSource[] = []
  for (const text of texts) {
    const [, host, place, mode] = /^(.+?):(\/.*?)(?::(ro|rw))?$/.exec(text) ?? []
    const inside = posix.normalize(place ?? '').replace(/(?<=.)\/$/, '')
    if (host !== undefined && inside.startsWith(BINDINGS) && !inside.slice(BINDINGS.length).includes('/')) {
      bindings.push(parseBinding(`${inside.slice(BINDINGS.length)}=${host}`, workingDirectory))
      continue
    }
    const sensitive = SENSITIVE.find(each => inside === each || inside.startsWith(`${each}/`))
    if (inside === '/' || sensitive !== undefined) throw volumeRefused(text, sensitive ?? '/')
    mounts.push(await parseVolume(mode === undefined ? `${text}:ro` : text, workingDirectory))
  }
  return { mounts, bindings }
}

function volumeRefused(text: string, place: string): Problem {
  return new Problem('VOLUME_REFUSED', {
    what: `Cannot mount ${JSON.stringify(text.slice(0, 200))}`,
    why: `${place} belongs to the build itself`,
    fix: 'Choose another place, such as /volumes/NAME. Bindings are given with --binding, variables with --env.',
    exitCode: 3,
  })
}
