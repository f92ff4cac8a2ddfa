import { resolve } from 'node:path'
import { assembleBase, openCatalog } from '../../src/os/mod.ts'
import { findCertificates } from '../../src/platform/machine/extra-certificates.ts'
import { openMachineSources } from '../../src/runtimes/mod.ts'
import { Digesting, isSystemError, printCertificates, silent } from '../../src/std/mod.ts'

/** Where tests that work in their own process keep what they fetch: with the stories, unless these belong to another user. */
export const ownState = resolve(
  import.meta.dirname,
  '../../.cache',
  process.getuid?.() === 0 ? 'golden-bases' : 'stories',
)

const ARCHITECTURES = ['amd64', 'arm64'] as const

/** Which shipped locks are held to golden digests; those of build bases are large, and one stands for all. */
const isGolden = (name: string, release: string, arch: string) =>
  !name.startsWith('build:') || (release === 'trixie' && arch === 'amd64')

/**
 * DiffIDs of the layers that the shipped locks make, by `NAME RELEASE ARCH`, assembled with the state in `home`. A base of
 * which mirrors have dropped packages is left out, and `vanished` is told.
 */
export async function goldenBases(
  home: string,
  vanished: (base: string, why: string) => void = () => {},
): Promise<Record<string, string>> {
  const { certificates } = await findCertificates(process.env)
  await using sources = openMachineSources({
    home,
    userHome: home,
    environment: process.env,
    node: process.execPath,
    certificates: certificates.length > 0 ? printCertificates(certificates) : undefined,
    now: Date.now,
  })
  const context = { home, archive: await sources.archive(), report: silent }
  const catalog = openCatalog('images')
  const found: Record<string, string> = {}
  for (const { recipe, release } of await catalog.list()) {
    for (const arch of ARCHITECTURES) {
      const lock = await catalog.lock(recipe, { release, arch })
      const title = `${recipe.name} ${release} ${arch}`
      if (!lock || !isGolden(recipe.name, release, arch)) continue
      try {
        await using assembled = await assembleBase(recipe, lock, context)
        const digest = new Digesting()
        for await (const _ of assembled.layer().pipe(digest)) {
          // Only the digest is of interest.
        }
        found[title] = digest.digest()
      } catch (error) {
        if (!isSystemError(error, 'BASE_PACKAGES_VANISHED')) throw error
        vanished(title, error.message)
      }
    }
  }
  return found
}
