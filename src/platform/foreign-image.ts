import { type Image, type LayoutStore, openSource, parseName, parsePlace, type Source } from '#oci'
import { machineArchitecture } from './bases.ts'
import { imageMissing } from './problems.ts'

/** Images of others, open for reading until this is disposed. */
export interface ForeignImages extends AsyncDisposable {
  /**
   * Opens the image of a name: `oci:DIR[:TAG]`, `docker-archive:FILE[:NAME]`, else an image of the store. Throws a `Problem` (`IMAGE_MISSING`,
   * `NOT_IN_LAYOUT`, `PLATFORM_MISSING`, …).
   */
  find(text: string): Promise<Image>
  /** True for a name that the store knows. */
  has(text: string): Promise<boolean>
}

/** Opens images where they are. */
export function openForeignImages(store: LayoutStore, workingDirectory: string): ForeignImages {
  const opened: Source[] = []
  return {
    async find(text) {
      const place = parsePlace(text, workingDirectory)
      if (place.kind === 'oci' || place.kind === 'docker-archive') {
        const source = await openSource(store, place, machineArchitecture())
        opened.push(source)
        return source.image
      }
      const image = await store.image(text)
      if (!image) throw imageMissing(text)
      return image
    },
    has: async text => isName(text) && (await store.resolve(text)) !== undefined,
    async [Symbol.asyncDispose]() {
      for (const source of opened.splice(0)) await source[Symbol.asyncDispose]()
    },
  }
}

function isName(text: string): boolean {
  try {
    return parseName(text) !== ''
  } catch {
    return false
  }
}
