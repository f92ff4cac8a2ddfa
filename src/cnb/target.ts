import * as v from 'valibot'
import { withoutUndefined } from './document.ts'

/** A distribution; an empty or absent part stands for any. */
export interface Distro {
  readonly name?: string
  readonly version?: string
}

/** What a buildpack works on (`[[targets]]`); an absent part stands for any. */
export interface Target {
  readonly os?: string
  readonly arch?: string
  readonly variant?: string
  readonly distros: readonly Distro[]
}

/** What a base image is. */
export interface BaseTarget {
  readonly os: string
  readonly arch: string
  readonly variant?: string
  readonly distro?: { readonly name: string; readonly version: string }
}

/** `[[targets]]`: the variant is read from `variant` (specification) and `arch-variant` (reference lifecycle). */
export const targetSchema = v.pipe(
  v.object({
    os: v.optional(v.string()),
    arch: v.optional(v.string()),
    variant: v.optional(v.string()),
    'arch-variant': v.optional(v.string()),
    distros: v.optional(
      v.array(v.object({ name: v.optional(v.string()), version: v.optional(v.string()) })),
      () => [],
    ),
  }),
  v.transform(
    ({ os, arch, variant, 'arch-variant': archVariant, distros }): Target =>
      withoutUndefined({
        os,
        arch,
        variant: variant ?? archVariant,
        distros: distros.map(withoutUndefined),
      }) as Target,
  ),
)

/**
 * True if a base is what a buildpack works on (CNB platform specification, "Phase #1"): each part is equal or one side is
 * silent; where distributions are listed, the base must have one of them. Versions are compared as text.
 */
export function targetMatches(target: Target, base: BaseTarget): boolean {
  return (
    agree(target.os, base.os) &&
    agree(target.arch, base.arch) &&
    agree(target.variant, base.variant) &&
    (target.distros.length === 0 || target.distros.some(distro => distroMatches(distro, base)))
  )
}

/** True if any target of a list matches, or the list is empty. */
export function anyTargetMatches(targets: readonly Target[], base: BaseTarget): boolean {
  return targets.length === 0 || targets.some(target => targetMatches(target, base))
}

/** A target in words: `linux/amd64`, `linux/arm64/v8 debian 13`. */
export function describeTarget(base: BaseTarget | Target): string {
  const platform = [base.os, base.arch, base.variant].filter(part => part).join('/') || 'any platform'
  const distros = 'distros' in base ? base.distros : 'distro' in base && base.distro ? [base.distro] : []
  const names = distros.map(distro => [distro.name, distro.version].filter(part => part).join(' '))
  return [platform, names.join(' or ')].filter(part => part).join(' ')
}

function distroMatches(distro: Distro, base: BaseTarget): boolean {
  return (
    base.distro !== undefined &&
    agree(distro.name, base.distro.name) &&
    agree(distro.version, base.distro.version)
  )
}

function agree(a: string | undefined, b: string | undefined): boolean {
  return !a || !b || a === b
}
