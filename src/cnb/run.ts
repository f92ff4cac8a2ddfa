import * as v from 'valibot'
import { printToml } from '#std'
import { optionalStrings, readDocument } from './document.ts'

/** A run image with the places where copies of it are. */
export interface RunImage {
  readonly image: string
  readonly mirrors: readonly string[]
}

const document = v.object({
  images: v.optional(v.array(v.object({ image: v.string(), mirrors: optionalStrings })), () => []),
})

/** Reads a run.toml. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`). */
export function parseRun(text: string, file: string): readonly RunImage[] {
  return readDocument(document, text, file).images
}

/** Prints a run.toml. */
export function printRun(images: readonly RunImage[]): string {
  return printToml({
    images: images.map(({ image, mirrors }) => ({ image, ...(mirrors.length > 0 && { mirrors }) })),
  })
}

/** The entry of a run.toml that has a name as its image or among its mirrors. */
export function findRunImage(images: readonly RunImage[], name: string): RunImage | undefined {
  return images.find(({ image, mirrors }) => [image, ...mirrors].some(each => sameImage(each, name)))
}

/** True if two names mean one image: digests are dropped, a missing tag is `latest`, a missing registry is Docker Hub. */
export function sameImage(a: string, b: string): boolean {
  return wholeName(a) === wholeName(b)
}

function wholeName(name: string): string {
  const undigested = name.split('@')[0] ?? name
  const tagged = /:[^/]*$/.test(undigested) ? undigested : `${undigested}:latest`
  const first = tagged.split('/')[0] ?? ''
  const hasRegistry = tagged.includes('/') && (/[.:]/.test(first) || first === 'localhost')
  const full = hasRegistry ? tagged : `docker.io/${tagged}`
  const registry = full.replace(/^(?:index\.|registry-1\.)?docker\.io\//, 'docker.io/')
  return registry.replace(/^docker\.io\/(?=[^/]+$)/, 'docker.io/library/')
}
