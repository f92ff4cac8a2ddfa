import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import type { GoModules } from '#sources'
import {
  check,
  type Digest,
  digestOf,
  hexOf,
  isDigest,
  isSystemError,
  lockFile,
  Problem,
  parseJson,
  printJson,
  type Report,
  readIfExists,
  writeDurably,
} from '#std'
import { shipped } from '../shipped.ts'
import { buildLauncher } from './build.ts'
import { fetchGo, type GoToolchain, installedGo } from './go-toolchain.ts'
import { launcherMissing, launcherUnbuildable } from './problems.ts'
import { type LauncherSources, readLauncherSources } from './sources.ts'

/** The launcher as an executable file. */
export interface LauncherBinary {
  readonly path: string
  readonly digest: Digest
  /** Version of the launcher. */
  readonly version: string
  /** The Go release that built it, such as `1.26.8`. */
  readonly go: string
}

/** What the launcher is found or made with. */
export interface LauncherOptions {
  /** Of the image. */
  readonly arch: 'amd64' | 'arm64'
  /** Of this machine, as Node.js says it (`process.arch`). */
  readonly machine: string
  /** The state directory of slipway. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `openMachineSources` gives it; asked for only if Go has to be fetched. */
  readonly goModules: () => Promise<GoModules>
  readonly report: Report
  readonly signal?: AbortSignal | undefined
  /** Where the launcher's sources and a release's binaries lie; by default beside this program. */
  readonly places?: LauncherPlaces
}

/** At least one of them is there. */
export interface LauncherPlaces {
  /** The directory `launcher` of a checkout. */
  readonly sources?: string | undefined
  /** A directory with `launcher-<arch>` and `launcher.json`, as `tools/launcher.ts` cuts it for a release. */
  readonly bundle?: string | undefined
}

/**
 * The launcher for an architecture: the one that a release was cut with, unless its sources have changed since; else the one that was built
 * here before; else it is built.
 *
 * Its bytes are part of images, and each Go release makes other bytes, so `launcher/launcher.json` pins one release. A go
 * on the PATH builds only if it is that very release (20 s on two cores); else that release is fetched as the Go command itself would do
 * (72 MB) and verified (7 s more). Where that cannot be done and there is another Go, that one builds, and a warning says that images will differ
 * from those of other machines. Throws a `Problem` (`LAUNCHER_UNBUILDABLE`, `LAUNCHER_MISSING`).
 */
export async function launcherBinary(options: LauncherOptions): Promise<LauncherBinary> {
  const places = options.places ?? launcherPlaces()
  const sources = places.sources === undefined ? undefined : await readLauncherSources(places.sources)
  const bundled = places.bundle && (await inBundle(places.bundle, options.arch, sources))
  if (bundled) return bundled
  if (!sources) throw launcherMissing(`there is no launcher for ${options.arch} beside the program`)
  const known = await inCache(options, sources, sources.pin.go)
  if (known) return known
  await using _ = await lockFile(join(options.home, 'launcher', '.lock'), options.signal)
  return (await inCache(options, sources, sources.pin.go)) ?? (await make(options, sources))
}

/** Finds the launcher's sources and binaries beside the program, be it in a checkout, its bundle or a release. */
export function launcherPlaces(from?: string): LauncherPlaces {
  const find = (name: string) => {
    try {
      return dirname(shipped(`launcher/${name}`, from))
    } catch {
      return undefined
    }
  }
  return { sources: find('go.mod'), bundle: find('bundle.json') }
}

const digestSchema = v.pipe(
  v.string(),
  v.check(isDigest, 'not a digest'),
  v.transform(text => text as Digest),
)
const bundleSchema = v.object({
  version: v.string(),
  go: v.string(),
  sources: digestSchema,
  launchers: v.record(v.string(), digestSchema),
})

/** What `bundle.json` says about the launchers beside it. */
export type LauncherBundle = v.InferOutput<typeof bundleSchema>

async function inBundle(
  directory: string,
  arch: LauncherOptions['arch'],
  sources: LauncherSources | undefined,
): Promise<LauncherBinary | undefined> {
  const file = join(directory, 'bundle.json')
  const text = await readIfExists(file)
  if (text === undefined) return undefined
  const bundle = check(bundleSchema, parseJson(text, file), file, text)
  const digest = bundle.launchers[arch]
  if (!digest || (sources && sources.digest !== bundle.sources)) return undefined
  const path = join(directory, `launcher-${arch}`)
  if ((await digestAt(path)) !== digest) throw launcherMissing(`${path} is not the file that was released`)
  return { path, digest, version: bundle.version, go: bundle.go }
}

const recordSchema = v.object({ digest: digestSchema })

async function inCache(
  { home, arch }: LauncherOptions,
  { digest: key, pin }: LauncherSources,
  go: string,
): Promise<LauncherBinary | undefined> {
  const path = join(home, 'launcher', hexOf(key), `launcher-${arch}-go${go}`)
  const text = await readIfExists(`${path}.json`)
  if (text === undefined) return undefined
  const { digest } = check(recordSchema, parseJson(text, path), path, text)
  return (await digestAt(path)) === digest ? { path, digest, version: pin.version, go } : undefined
}

async function digestAt(path: string): Promise<Digest | undefined> {
  try {
    return digestOf(await readFile(path))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

async function make(options: LauncherOptions, sources: LauncherSources): Promise<LauncherBinary> {
  const { arch, home, report, signal } = options
  await using go = await chooseGo(options, sources)
  const release = go.version.replace(/^go/, '').replace(/[^\w.+-]/g, '_')
  if (release !== sources.pin.go) {
    const known = await inCache(options, sources, release)
    if (known) return known
  }
  const content = await buildLauncher({ go, sources, arch, home, report, signal })
  const digest = digestOf(content)
  const path = join(home, 'launcher', hexOf(sources.digest), `launcher-${arch}-go${release}`)
  await writeDurably(path, content, 0o555)
  await writeDurably(`${path}.json`, printJson({ digest }))
  return { path, digest, version: sources.pin.version, go: release }
}

/** The pinned release, from the PATH or fetched; another one only where that fails. */
async function chooseGo(options: LauncherOptions, { pin }: LauncherSources): Promise<GoToolchain> {
  const { environment, machine, home, goModules, report } = options
  const installed = await installedGo(environment)
  if (installed?.version === `go${pin.go}`) return installed
  const arch = machine === 'x64' ? 'amd64' : machine === 'arm64' ? 'arm64' : undefined
  try {
    if (arch === undefined)
      throw launcherUnbuildable(`there is no Go toolchain for ${machine} to fetch`, pin.go)
    const h1 = pin.toolchains[arch]
    return await fetchGo({ release: pin.go, arch, h1, home, goModules, report })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (installed === undefined) throw launcherUnbuildable(`${error.what}: ${error.why}`, pin.go, error)
    report.warn(
      `the launcher is built with ${installed.version}, as Go ${pin.go} could not be fetched (${error.why}): this image will differ from those of other machines`,
    )
    return installed
  }
}
