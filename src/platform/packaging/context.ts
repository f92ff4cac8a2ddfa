import { join } from 'node:path'
import type { Target } from '#cnb'
import {
  type Image,
  type LayoutStore,
  openSource,
  type Platform,
  parseName,
  parsePlace,
  parseReference,
} from '#oci'
import type { MachineSources } from '#runtimes'
import { isDigest, Problem, type Report, type TemporaryDirectory, temporaryDirectory } from '#std'
import { type ImageWays, openImageWays } from '../images/image-ways.ts'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { type ArchiveOptions, openSources } from '../machine/machine-archive.ts'
import { openStore } from '../store.ts'
import { moduleMissing } from './problems.ts'

/** Whether images are looked for in a registry: before the store, after it, or never. */
export type PullPolicy = 'always' | 'if-not-present' | 'never'

/** What packaging is handed. */
export interface PackagingOptions extends ArchiveOptions {
  readonly workingDirectory: string
  readonly pullPolicy?: PullPolicy | undefined
  readonly insecure?: readonly string[] | undefined
  /** Where ids of buildpack registries are looked up: a directory, an address, or a repository on GitHub. */
  readonly buildpackRegistry?: string | undefined
  /** Which image of an index is meant. Default: that for Linux on this machine. */
  readonly platform?: Platform | undefined
}

/** The places that packages are made from and written to; what was opened is closed with it. */
export interface PackagingContext extends AsyncDisposable {
  readonly options: PackagingOptions
  readonly report: Report
  readonly store: LayoutStore
  readonly ways: ImageWays
  readonly sources: () => Promise<MachineSources>
  /** A directory of this job alone. */
  readonly scratch: () => Promise<string>
  /** Which image of an index is meant. */
  readonly platform: Platform
  /**
   * The image of a reference, in the store or a registry, as the policy says; or of `docker-daemon:NAME`, `oci:DIR[:TAG]`, `docker-archive:FILE`.
   * Throws a `Problem` (`MODULE_MISSING`, or what a registry answers).
   */
  image(reference: string): Promise<Image>
  /** Something to be closed at the end. */
  keep<Thing extends AsyncDisposable>(thing: Thing): Thing
}

/** The same for a target of another platform, whose images are then meant; to be disposed by whoever asked. */
export function packagingFor(target: Target, { options, platform }: PackagingContext): PackagingContext {
  const { os = platform.os, arch = platform.architecture, variant } = target
  return openPackaging({ ...options, platform: { os, architecture: arch, ...(variant && { variant }) } })
}

/** Opens what packaging needs; nothing is read or reached before it is asked for. */
export function openPackaging(options: PackagingOptions): PackagingContext {
  const { home, report, environment, signal, insecure } = options
  const store = openStore(home)
  const platform = options.platform ?? { os: 'linux', architecture: machineArchitecture() }
  const ways = openImageWays({ home, environment, report, signal, insecure, platform })
  const kept: AsyncDisposable[] = [ways]
  const keep = <Thing extends AsyncDisposable>(thing: Thing): Thing => {
    kept.push(thing)
    return thing
  }
  let sources: Promise<MachineSources> | undefined
  let scratch: Promise<TemporaryDirectory> | undefined
  return {
    options,
    report,
    store,
    ways,
    platform,
    keep,
    sources() {
      sources ??= openSources(options).then(keep)
      return sources
    },
    async scratch() {
      scratch ??= temporaryDirectory(join(home, 'staging'), 'package-').then(keep)
      return (await scratch).path
    },
    async image(reference) {
      if (!/^(?:docker-daemon|docker-archive|oci):/.test(reference))
        return findImage(reference, options.pullPolicy, store, ways)
      const place = parsePlace(reference, options.workingDirectory)
      return keep(await openSource(store, place, platform.architecture, ways)).image
    },
    async [Symbol.asyncDispose]() {
      for (const each of kept.reverse()) await each[Symbol.asyncDispose]()
    },
  }
}

async function findImage(
  text: string,
  policy: PullPolicy = 'if-not-present',
  store: LayoutStore,
  { registries }: ImageWays,
): Promise<Image> {
  const remote = text.startsWith('docker://')
  const reference = text.replace(/^docker:\/{0,2}/, '')
  const here = async () => (isName(reference) ? store.image(reference) : undefined)
  const there = async () => registries.store(parseReference(reference)).image(reference)
  const ways = remote
    ? [there]
    : policy === 'never'
      ? [here]
      : policy === 'always'
        ? [there, here]
        : [here, there]
  let failure: unknown
  for (const way of ways) {
    try {
      const image = await way()
      if (image) return image
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failure ??= error
    }
  }
  throw failure ?? moduleMissing(reference)
}

function isName(text: string): boolean {
  try {
    return isDigest(text.slice(text.indexOf('@') + 1)) || parseName(text) !== ''
  } catch {
    return false
  }
}
