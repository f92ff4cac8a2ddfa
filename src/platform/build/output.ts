import { parsePlace } from '#oci'
import { Problem } from '#std'

/** Where a build puts its image. */
export type BuildOutput =
  | { readonly kind: 'store' }
  | { readonly kind: 'registry' }
  | { readonly kind: 'daemon' }
  | { readonly kind: 'oci'; readonly directory: string; readonly tag: string | undefined }
  | { readonly kind: 'docker-archive'; readonly file: string }

/**
 * Reads `--publish` and `--output docker-daemon|oci:DIR[:TAG]|docker-archive:FILE`; without either the image goes to the local store. Throws a `Problem`
 * (`OUTPUT_INVALID`).
 */
export function parseOutput(
  output: string | undefined,
  publish: boolean,
  workingDirectory: string,
): BuildOutput {
  if (output === undefined) return { kind: publish ? 'registry' : 'store' }
  if (publish) throw outputInvalid(output, 'it cannot be together with --publish')
  if (output === 'docker-daemon' || output === 'docker-daemon:') return { kind: 'daemon' }
  const place = parsePlace(output, workingDirectory)
  if (place.kind === 'oci') return place
  if (place.kind === 'docker-archive') {
    if (place.name === undefined) return { kind: 'docker-archive', file: place.file }
    throw outputInvalid(output, 'the name in the archive is that of the image')
  }
  throw outputInvalid(output, 'it is none of docker-daemon, oci:DIR[:TAG] and docker-archive:FILE')
}

function outputInvalid(output: string, why: string): Problem {
  return new Problem('OUTPUT_INVALID', {
    what: `Cannot put an image to ${JSON.stringify(output.slice(0, 200))}`,
    why,
    fix: 'Give --publish for a registry, or one of --output docker-daemon, --output oci:DIR and --output docker-archive:FILE.',
    exitCode: 2,
  })
}
