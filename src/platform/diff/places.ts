import type { Component } from '#bom'
import { type CopyPlace, openSource, type Source } from '#oci'
import { byBytes, type Report } from '#std'
import { type ImageWays, openImageWays } from '../images/image-ways.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { componentsOf } from '../sbom/sbom.ts'
import { openStore } from '../store.ts'
import { type DiffPart, type DiffSide, diffImages, type ImageDiff } from './diff.ts'

/** Which images are compared, and in what. */
export interface DiffRequest {
  readonly before: NamedPlace
  readonly after: NamedPlace
  readonly parts: ReadonlySet<DiffPart>
  /** OCI's word (`amd64`), for places that hold an image for each; this machine's by default. */
  readonly architecture: string | undefined
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Hosts of registries that may be spoken to without TLS. */
  readonly insecure: readonly string[]
  readonly report: Report
  readonly signal: AbortSignal
}

/** A place, and how the person wrote it. */
export interface NamedPlace {
  readonly text: string
  readonly place: CopyPlace
}

/** Compares two images where they are; nothing is copied. Throws a `Problem` if one of them is not there or cannot be read. */
export async function diffPlaces(request: DiffRequest): Promise<ImageDiff> {
  await using ways = openImageWays(request)
  await using before = await openPlace(request, request.before, ways)
  await using after = await openPlace(request, request.after, ways)
  const sides = [
    await sideOf(request, request.before, before),
    await sideOf(request, request.after, after),
  ] as const
  return await diffImages(...sides, request.parts)
}

function openPlace(
  { home, architecture = machineArchitecture() }: DiffRequest,
  { place }: NamedPlace,
  ways: ImageWays,
): Promise<Source> {
  return openSource(openStore(home), place, architecture, ways)
}

async function sideOf(
  { parts, report }: DiffRequest,
  { text }: NamedPlace,
  { image }: Source,
): Promise<DiffSide> {
  const components = parts.has('packages') ? await componentsOf(image, report) : []
  return { name: text, image, packages: versionsOf(components) }
}

/** Versions by name. A package that is there in several versions has them all. */
function versionsOf(components: readonly Component[]): Map<string, string> {
  const found = new Map<string, Set<string>>()
  for (const { name, group, version, purl } of components) {
    const kind = /^pkg:([a-z0-9.+-]+)\//.exec(purl ?? '')?.[1]
    const key = `${kind === undefined ? '' : `${kind}:`}${group ? `${group}/` : ''}${name}`
    found.set(key, (found.get(key) ?? new Set()).add(version))
  }
  return new Map([...found].map(([key, versions]) => [key, [...versions].sort(byBytes).join(', ')]))
}
