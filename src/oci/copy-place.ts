import { resolve } from 'node:path'
import { parseReference, printReference, withTag } from './reference.ts'

/** Where an image can be copied from or to. */
export type CopyPlace =
  | { readonly kind: 'store'; readonly name: string }
  | { readonly kind: 'registry'; readonly reference: string }
  | { readonly kind: 'daemon'; readonly name: string }
  | { readonly kind: 'oci'; readonly directory: string; readonly tag: string | undefined }
  | { readonly kind: 'docker-archive'; readonly file: string; readonly name: string | undefined }

/**
 * Reads `NAME`, `docker://REFERENCE`, `docker-daemon:NAME`, `oci:DIR[:TAG]` or `docker-archive:FILE[:NAME]` (the spelling of containers-transports(5); a bare name is one of the
 * local store). Throws a `Problem` (`REFERENCE_INVALID`).
 */
export function parsePlace(text: string, workingDirectory: string): CopyPlace {
  if (text.startsWith('docker://')) {
    const reference = withTag(parseReference(text.slice('docker://'.length)))
    return { kind: 'registry', reference: printReference(reference) }
  }
  const daemon = /^docker-daemon:(.+)$/.exec(text)
  if (daemon) return { kind: 'daemon', name: daemon[1] as string }
  const archive = /^docker-archive:([^:]+)(?::(.+))?$/.exec(text)
  if (archive)
    return { kind: 'docker-archive', file: resolve(workingDirectory, archive[1] as string), name: archive[2] }
  const layout = /^oci:([^:]+)(?::(.+))?$/.exec(text)
  if (layout)
    return { kind: 'oci', directory: resolve(workingDirectory, layout[1] as string), tag: layout[2] }
  return { kind: 'store', name: text }
}

/** A place in the words that it is given in. */
export function placeText(place: CopyPlace): string {
  const more = (text: string | undefined) => (text === undefined ? '' : `:${text}`)
  switch (place.kind) {
    case 'store':
      return place.name
    case 'registry':
      return `docker://${place.reference}`
    case 'daemon':
      return `docker-daemon:${place.name}`
    case 'oci':
      return `oci:${place.directory}${more(place.tag)}`
    case 'docker-archive':
      return `docker-archive:${place.file}${more(place.name)}`
  }
}
