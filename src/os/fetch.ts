import { type Artifact, type DebianArchive, isVanished, metered } from '#sources'
import type { Report } from '#std'
import type { LockedPackage } from './lock.ts'
import { packagesVanished } from './problems.ts'

const AT_ONCE = 6

/**
 * Fetches packages, in the order given, each compared with its sha256. Throws `BASE_PACKAGES_VANISHED`, naming all of
 * them, where no mirror and no store has some any more.
 */
export async function fetchPackages(
  name: string,
  packages: readonly LockedPackage[],
  archive: DebianArchive,
  report: Report,
): Promise<Artifact[]> {
  const total = packages.reduce((sum, { size }) => sum + size, 0)
  using progress = report.progress(`packages of ${name}`, total)
  const found = new Map<LockedPackage, Artifact>()
  const gone: string[] = []
  const queue = [...packages]
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        const wanted = next
        let come = 0
        const add = (bytes: number) => {
          come += bytes
          progress.add(bytes)
        }
        found.set(wanted, await metered(add, () => archive.fetch(wanted)))
        progress.add(wanted.size - come)
      } catch (error) {
        if (!isVanished(error)) {
          queue.length = 0
          throw error
        }
        gone.push(`${next.name} ${next.version}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  if (gone.length > 0) throw packagesVanished(name, gone.toSorted())
  return packages.map(each => found.get(each) as Artifact)
}
