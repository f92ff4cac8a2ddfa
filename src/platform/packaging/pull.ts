import { idAndVersion, parseBuildpackLocator } from '#cnb'
import { type CopyPlace, copyImage, parseReference, printReference, withTag } from '#oci'
import type { PackagingContext } from './context.ts'
import { inspectPackage } from './package-inspect.ts'
import { notInContext } from './problems.ts'
import { findInRegistryIndex } from './registry-index.ts'

/**
 * Copies a buildpackage of a registry into the store, by its reference or its id in a buildpack registry; returns its name there and its digest.
 * Throws a `Problem` (`NOT_A_BUILDPACKAGE`, `REGISTRY_ID_UNKNOWN`, or what a registry answers).
 */
export async function pullBuildpack(
  text: string,
  context: PackagingContext,
): Promise<{ readonly name: string; readonly digest: string }> {
  const locator = parseBuildpackLocator(text)
  const found =
    locator.kind === 'registry-id'
      ? locator
      : locator.kind === 'bare' && text.includes('@') && !text.includes('@sha256:')
        ? idAndVersion(text)
        : undefined
  if (!found && locator.kind !== 'image' && locator.kind !== 'bare') throw notInContext(text)
  const reference = found
    ? await findInRegistryIndex(found.id, found.version, context)
    : locator.kind === 'image'
      ? locator.reference
      : text
  await inspectPackage(`docker://${reference}`, context)
  const place = withTag(parseReference(reference))
  const from: CopyPlace = { kind: 'registry', reference: printReference(place) }
  const name = found ? `${found.id}:${found.version ?? 'latest'}` : reference.replace(/@sha256:.*$/, '')
  const { architecture } = context.platform
  const { digest } = await copyImage(
    context.store,
    from,
    { kind: 'store', name },
    { architecture, report: context.report, ...context.ways },
  )
  return { name, digest }
}
