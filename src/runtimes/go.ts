import type { RuntimeContext } from './context.ts'
import { versionMalformed } from './problems.ts'
import { onlyArtifact, type Plan, type Recipe } from './recipe.ts'
import type { RuntimeRequest } from './runtime.ts'
import type { Tree } from './tree.ts'
import { unpackZip } from './unpack.ts'
import { chooseVersion, compareVersions, startsWith, versionPrefix } from './versions.ts'

/** The module that Go's releases are published as (https://go.dev/doc/toolchain). */
export const GO_MODULE = 'golang.org/toolchain'

/** The version of that module which holds a release for the machine that builds. */
export function goModuleVersion(release: string, arch: 'amd64' | 'arm64'): string {
  return `v0.0.1-go${release}.linux-${arch}`
}

/**
 * True for files of a toolchain that no build of an app reads: Go's own tests and commands, documentation, and what only the race detector and BoringCrypto
 * link. They are more than half of all files.
 */
export function isIdleInGo(path: string): boolean {
  return /^(?:test|api|doc|misc)\/|^src\/(?:.*\/)?testdata\/|_test\.go$|\.syso$|^src\/cmd\/(?!vendor\/|internal\/)/.test(
    path,
  )
}

/** True for the programs of a toolchain; its archive does not carry modes. */
export function isProgramOfGo(path: string): boolean {
  return /^(?:bin|pkg\/tool\/[^/]+)\//.test(path)
}

/**
 * Go as the go command itself would fetch it: a module, checked against Go's checksum database. A request for `1.26` or `1.26.*` is for the newest release
 * of that line; with the option `minimum`, `1.26.3` is for the newest of its line that is not older than 1.26.3.
 */
export const goRecipe: Recipe = {
  id: 'go@1',
  async plan(request, context): Promise<Plan> {
    const release = await chooseRelease(request, context)
    const version = goModuleVersion(release, request.arch)
    const artifact = { source: 'go' as const, locator: `${GO_MODULE}@${version}`, name: GO_MODULE, version }
    const fetch = async () => (await context.goModules()).fetch({ path: GO_MODULE, version })
    return { version: release, artifacts: [{ ...artifact, fetch }] }
  },
  async unpack({ artifacts, staging }) {
    const { path, locator } = onlyArtifact(artifacts)
    const prefix = `${locator}/`
    const files: Tree = new Map()
    await unpackZip(path, files, staging, locator, {
      rename: name => {
        const inner = name.startsWith(prefix) ? name.slice(prefix.length) : ''
        return inner === '' || isIdleInGo(inner) ? undefined : inner
      },
    })
    for (const [at, node] of files)
      if (node.type === 'file') files.set(at, { ...node, executable: isProgramOfGo(at) })
    return files
  },
  describe({ version }) {
    return {
      purl: `pkg:golang/toolchain@${version}`,
      cpes: [`cpe:2.3:a:golang:go:${version}:*:*:*:*:*:*:*`],
      licenses: ['BSD-3-Clause'],
      components: [],
      // The release is chosen here, so that the go command must not fetch another one.
      environment: { GOTOOLCHAIN: 'local' },
    }
  },
}

/** How many lines of Go get fixes (https://go.dev/doc/devel/release#policy). */
const SUPPORTED = 2

async function chooseRelease(request: RuntimeRequest, context: RuntimeContext): Promise<string> {
  const { name, version, arch, options } = request
  const releases = await releasesFor(arch, context)
  const prefix = versionPrefix(name, version)
  const chosen =
    options?.minimum === true && prefix !== ''
      ? newestFrom(version, prefix, releases)
      : chooseVersion(name, version, releases)
  const lines = [...new Set(releases.filter(isFinal).map(lineOf))].toSorted(compareVersions)
  const supported = lines.slice(-SUPPORTED)
  const [oldest = ''] = supported
  if (compareVersions(lineOf(chosen), oldest) < 0)
    context.report.warn(
      `Go ${lineOf(chosen)} gets no security fixes any more; ${supported.join(' and ')} do. The go line of go.mod, or BP_GO_VERSION, chooses another`,
    )
  return chosen
}

async function releasesFor(arch: string, context: RuntimeContext): Promise<string[]> {
  const pattern = new RegExp(`^v0\\.0\\.1-go(\\d+\\.[\\w.]+)\\.linux-${arch}$`)
  const versions = await (await context.goModules()).versions(GO_MODULE)
  return versions.flatMap(version => pattern.exec(version)?.[1] ?? [])
}

/** Lines older than the first that is published in this way are built with the newest release, which knows how. */
function newestFrom(wanted: string, minimum: string, releases: readonly string[]): string {
  if (!/^\d+\.\d+/.test(minimum)) throw versionMalformed('go', wanted)
  const line = lineOf(minimum)
  const ofLine = releases.filter(release => isFinal(release) && startsWith(release, line))
  const oldest = releases.filter(isFinal).toSorted(compareVersions)[0] ?? ''
  if (ofLine.length === 0 && compareVersions(line, oldest) < 0) return chooseVersion('go', '', releases)
  const fitting = ofLine.filter(release => compareVersions(release, minimum) >= 0)
  return chooseVersion('go', fitting.length > 0 ? line : minimum, fitting.length > 0 ? fitting : releases)
}

function isFinal(release: string): boolean {
  return /^\d+\.\d+(?:\.\d+)?$/.test(release)
}

/** `1.26` of `1.26.8`. */
function lineOf(release: string): string {
  return release.split('.').slice(0, 2).join('.')
}
