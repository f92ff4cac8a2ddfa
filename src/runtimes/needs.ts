import { byBytes } from '#std'
import { type ElfFacts, readElfFile } from './elf.ts'
import { notRelocatable } from './problems.ts'
import { matching } from './relocate.ts'
import type { Needs } from './runtime.ts'
import type { Tree } from './tree.ts'

/** The shared objects that every base from `run:tiny` up has: the contract that runtimes stand on. */
export const BASE_CONTRACT: readonly string[] = [
  'ld-linux-aarch64.so.1',
  'ld-linux-x86-64.so.2',
  'libanl.so.1',
  'libc.so.6',
  'libcrypto.so.3',
  'libdl.so.2',
  'libgcc_s.so.1',
  'libm.so.6',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libssl.so.3',
  'libstdc++.so.6',
  'libutil.so.1',
  'libz.so.1',
]

const MACHINES = { amd64: 62, arm64: 183 }

/** The newest symbol versions that a base offers, by Debian release. */
const OFFERS: Readonly<Record<string, { readonly glibc: string; readonly glibcxx: string }>> = {
  'debian 12': { glibc: '2.36', glibcxx: '3.4.30' },
  'debian 13': { glibc: '2.41', glibcxx: '3.4.33' },
}

/**
 * Reads every ELF file of a tree and says what it asks of the base. Each object that is asked for must be in the tree or
 * in the contract, except by files that match `optional`: those serve features that a server has no use for. Throws a
 * `Problem` with every object that is nowhere, and with every file made for another machine.
 */
export function scanNeeds(
  tree: Tree,
  arch: keyof typeof MACHINES,
  optional: readonly string[],
  runtime: string,
): Needs {
  const isOptional = matching(optional)
  const here = new Set([...tree.keys()].map(path => path.slice(path.lastIndexOf('/') + 1)))
  const contract = new Set(BASE_CONTRACT)
  const sonames = new Set<string>()
  const versions: string[] = []
  const problems: string[] = []
  for (const [path, node] of [...tree].toSorted(([a], [b]) => byBytes(a, b))) {
    if (node.type !== 'file') continue
    const facts = factsOf(node.content, path, problems)
    if (!facts) continue
    if (facts.machine !== MACHINES[arch]) problems.push(`${path} is not a program for ${arch}`)
    for (const soname of facts.needed) {
      if (here.has(soname)) continue
      if (contract.has(soname)) sonames.add(soname)
      else if (!isOptional(path))
        problems.push(`${path} needs ${soname}, which is neither in it nor in the bases`)
    }
    versions.push(...facts.versionNeeds.map(({ version }) => version))
  }
  if (problems.length > 0) throw notRelocatable(runtime, problems)
  const glibc = highest(versions, 'GLIBC_')
  const glibcxx = highest(versions, 'GLIBCXX_')
  return { ...(glibc && { glibc }), ...(glibcxx && { glibcxx }), sonames: [...sonames].toSorted(byBytes) }
}

/** Why a base cannot carry something with these needs, or `undefined` where it can, or where the base is not known. */
export function misfit(
  needs: Needs,
  base: { distro: string; version: string },
): { wants: string; has: string } | undefined {
  const offers = OFFERS[`${base.distro} ${base.version.split('.')[0]}`]
  if (!offers) return undefined
  if (needs.glibc && older(offers.glibc, needs.glibc)) {
    return { wants: `glibc ${needs.glibc}`, has: `glibc ${offers.glibc}` }
  }
  if (needs.glibcxx && older(offers.glibcxx, needs.glibcxx)) {
    return { wants: `GLIBCXX_${needs.glibcxx}`, has: `GLIBCXX_${offers.glibcxx}` }
  }
  return undefined
}

function factsOf(content: string, path: string, problems: string[]): ElfFacts | undefined {
  try {
    return readElfFile(content)
  } catch (error) {
    problems.push(`${path} is damaged (${error instanceof Error ? error.message : error})`)
    return undefined
  }
}

function highest(versions: readonly string[], prefix: string): string | undefined {
  return versions
    .filter(version => version.startsWith(prefix))
    .map(version => version.slice(prefix.length))
    .filter(version => /^\d+(\.\d+)*$/.test(version))
    .reduce<string | undefined>(
      (best, version) => (best === undefined || older(best, version) ? version : best),
      undefined,
    )
}

function older(a: string, b: string): boolean {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
