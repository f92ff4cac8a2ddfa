import type { BuildpackLayers } from '#cnb'
import type { Digest } from '#std'
import type { DirectoryLayer } from './layer-tar.ts'

/** What a cache holds, by buildpack and layer name; only layers of type `cache` that have contents. */
export interface CacheMetadata {
  /** The bills of materials of cached layers, as one layer. */
  readonly sbom?: { readonly sha: string }
  readonly buildpacks: readonly BuildpackLayers[]
}

/**
 * Layers that one build keeps for the next. Reading never changes it. What is written shows only after `commit`, all of it or nothing,
 * and then replaces all that was there before.
 */
export interface Cache {
  /** Where it is, in words: a log names it so. */
  readonly name: string

  /** What it holds; `undefined` where nothing was ever committed or what is there cannot be understood. */
  metadata(): Promise<CacheMetadata | undefined>

  /**
   * Puts a layer's files into a directory of this machine. `inside` is the absolute path that the layer's tar gives that directory; entries
   * outside it are refused, links are never followed, times and owners are not restored. The target is made if missing, and has nothing else in it
   * afterwards. False where the layer is missing or damaged; the target is then gone.
   */
  restoreLayer(diffId: string, target: string, inside: string): Promise<boolean>

  /** Begins to write a new generation, which disposal without `commit` forgets. */
  begin(): Promise<CacheWriting>
}

/** A new generation of a cache, unseen until `commit`. */
export interface CacheWriting extends AsyncDisposable {
  /**
   * Keeps a layer of the generation before; false where it is missing or damaged. `found` is the directory that a build was lent it as, where that was looked at just now and nothing
   * has run since.
   */
  reuse(diffId: string, found?: DirectoryLayer): Promise<boolean>
  /**
   * Adds the contents of a directory, as the layer's tar has them, under the path that they have in images. Gives the name that it has from then on: the
   * diffID, or what `nameUnread` said of it. `found` as with `reuse`.
   */
  addLayer(directory: string, inside: string, name?: Digest, found?: DirectoryLayer): Promise<string>
  /**
   * A name for a layer that is in no image, so that nobody compares it with one. It says as much as a diffID does, and is found without reading what is in
   * the layer: compilers keep caches of many hundred megabytes, of which a build changes a few files. Absent where a cache knows layers by diffID alone.
   */
  nameUnread?(layer: DirectoryLayer): Digest | undefined
  /** Makes the new generation the only one. */
  commit(metadata: CacheMetadata): Promise<void>
}
