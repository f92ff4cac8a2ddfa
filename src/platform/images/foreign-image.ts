import {
  copyImage,
  type Image,
  type LayoutStore,
  openSource,
  parseName,
  parsePlace,
  parseReference,
  printReference,
  type Source,
  type StoredImage,
  withTag,
} from '#oci'
import { hexOf, Problem, type Report } from '#std'
import { machineArchitecture } from '../machine/machine-architecture.ts'
import { imageMissing, imageNotOnHub, imageNowhere } from '../problems.ts'
import type { ImageWays } from './image-ways.ts'
import { hasHost } from './registry-names.ts'

/** Images of others, open for reading until this is disposed. */
export interface ForeignImages extends AsyncDisposable {
  /**
   * Opens the image of a name: `oci:DIR[:TAG]`, `docker-archive:FILE[:NAME]` and `docker-daemon:NAME` where they are; else like `stored`. Throws a
   * `Problem` (`IMAGE_MISSING`, `NOT_IN_LAYOUT`, `PLATFORM_MISSING`, or what a registry has to say).
   */
  find(text: string): Promise<Image>
  /** An image of the store. `docker://REFERENCE` is asked for at its registry, and so is a name that the store does not know: what comes is put into the store. */
  stored(text: string): Promise<StoredImage>
  /**
   * A run image. Where the app image goes to a registry, that of a name with a registry is only read there: its layers need not come here. Else like `stored`.
   */
  run(text: string): Promise<StoredImage>
  /** The registry that the app image goes to. */
  readonly near: string | undefined
  /** True for a name that the store knows. */
  has(text: string): Promise<boolean>
}

/** What images are found with. */
export interface ForeignImagesOptions {
  readonly store: LayoutStore
  readonly ways: ImageWays
  readonly workingDirectory: string
  readonly report: Report
  readonly near?: string | undefined
}

/** Opens images where they are. */
export function openForeignImages({
  store,
  ways,
  workingDirectory,
  report,
  near,
}: ForeignImagesOptions): ForeignImages {
  const opened: Source[] = []
  const architecture = machineArchitecture()
  const pull = async (text: string, name: string | undefined): Promise<StoredImage> => {
    const reference = withTag(parseReference(text))
    const printed = printReference(reference)
    const there = await ways.registries.store(reference).image(printed)
    if (!there) throw imageNowhere(text)
    const here = await store.image(there.digest)
    if (here) return here
    report.line(`Pulling ${printed}`)
    const place = { kind: 'registry', reference: printed } as const
    const to = { kind: 'store', name: name ?? storeName(reference, printed) } as const
    const { digest } = await copyImage(store, place, to, { architecture, report, ...ways })
    const image = await store.image(digest)
    if (!image) throw imageMissing(text)
    return image
  }
  const stored = async (text: string): Promise<StoredImage> => {
    const place = parsePlace(text, workingDirectory)
    if (place.kind === 'registry') return await pull(place.reference, undefined)
    const here = await store.image(text)
    if (here) return here
    try {
      return await pull(text, isName(text) ? text : undefined)
    } catch (error) {
      // A name without a host is first of all one of the store: that Docker Hub gives no answer says little.
      const silent = error instanceof Problem && error.code === 'HTTP_UNREACHABLE' && !hasHost(text)
      throw silent ? imageNotOnHub(text, error) : error
    }
  }
  const run = async (text: string): Promise<StoredImage> => {
    if (near === undefined) return await stored(text)
    const reference = withTag(parseReference(text.replace(/^docker:\/\//, '')))
    const remote = () => ways.registries.store(reference).image(printReference(reference))
    const local = async () => (isName(text) ? await store.image(text) : undefined)
    const [first, second] = hasHost(text) ? [remote, local] : [local, remote]
    const found = (await first()) ?? (await second())
    if (!found) throw imageNowhere(text)
    return found
  }
  return {
    stored,
    run,
    near,
    async find(text) {
      const place = parsePlace(text, workingDirectory)
      if (place.kind === 'store' || place.kind === 'registry') return await stored(text)
      const source = await openSource(store, place, architecture, ways)
      opened.push(source)
      return source.image
    },
    has: async text => isName(text) && (await store.resolve(text)) !== undefined,
    async [Symbol.asyncDispose]() {
      for (const source of opened.splice(0)) await source[Symbol.asyncDispose]()
    },
  }
}

/** What an image of a registry is called in the store: as in its registry; a digest becomes a tag. */
function storeName(reference: ReturnType<typeof parseReference>, printed: string): string {
  const { registry, repository, digest } = reference
  return digest === undefined ? printed : `${registry}/${repository}:sha256-${hexOf(digest)}`
}

function isName(text: string): boolean {
  try {
    return parseName(text) !== ''
  } catch {
    return false
  }
}
