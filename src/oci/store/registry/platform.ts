import type { Descriptor } from '../../descriptor.ts'
import { platformMissing } from '../../problems.ts'

/** Which image of an index is meant, in OCI's words (image-spec image-index.md). */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/**
 * The image of an index for a platform: the first of its os and architecture, and where a variant is asked for, the first with that one, or with none. What is listed for no platform
 * (`unknown`, as attestations are) is never chosen, unless it is all there is and says nothing of a platform. Throws a `Problem` (`PLATFORM_MISSING`, exit code 3).
 */
export function choosePlatform(listed: readonly Descriptor[], wanted: Platform, place: string): Descriptor {
  const fitting = listed.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  )
  const found =
    wanted.variant === undefined
      ? fitting[0]
      : (fitting.find(({ platform }) => platform?.variant === wanted.variant) ??
        fitting.find(({ platform }) => platform?.variant === undefined))
  const only = listed.length === 1 && listed[0]?.platform === undefined ? listed[0] : undefined
  if (found ?? only) return (found ?? only) as Descriptor
  const words = ({ os, architecture, variant }: Partial<Platform>) =>
    [os, architecture, variant].filter(Boolean).join('/')
  throw platformMissing(
    place,
    words(wanted),
    listed.map(({ platform }) => words((platform ?? { os: 'any' }) as Partial<Platform>)),
  )
}
