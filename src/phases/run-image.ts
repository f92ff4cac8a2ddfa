import { findRunImage, type RunImage, type RunImageNames } from '#cnb'
import { parseReference } from '#oci'
import type { Images } from './images.ts'
import { inputInvalid } from './problems.ts'

/**
 * Chooses among a run image and its mirrors (CNB platform specification, "Run Image Resolution"; as the reference): the first that can be read in the
 * registry that the app image goes to, else the first that can be read. Throws a `Problem` (`PHASE_INPUT_INVALID`, exit code 3).
 */
export async function chooseMirror(
  { image, mirrors }: RunImage,
  target: string,
  canRead: Images['canRead'],
): Promise<string> {
  const names = [image, ...mirrors]
  const { registry } = parseReference(target)
  const near = names.filter(name => parseReference(name).registry === registry)
  for (const name of [...near, ...names]) if (await canRead(name)) return name
  throw inputInvalid(
    `none of ${names.join(', ')} can be read`,
    'Name a run image with -run-image, or give the lifecycle credentials for the registry of one of these.',
  )
}

/** The run image of a build: the one that was named, else the first of run.toml. Throws a `Problem` (`PHASE_INPUT_INVALID`, exit code 3). */
export async function chooseRunImage(
  named: string | undefined,
  images: readonly RunImage[],
  target: string,
  canRead: Images['canRead'],
): Promise<string> {
  if (named !== undefined) return named
  const [first] = images
  if (!first)
    throw inputInvalid(
      'no run image is named, and there is no run.toml that lists one',
      'Name one with -run-image.',
    )
  return chooseMirror(first, target, canRead)
}

/** Under which names later versions of the run image are found; what run.toml does not list counts only where an extension chose it. */
export function runImageNames(
  images: readonly RunImage[],
  name: string,
  extensions: boolean,
): RunImageNames | undefined {
  const [first] = images
  if (!first) return undefined
  const found = findRunImage(images, name)
  if (!found && extensions) return { image: name }
  const { image, mirrors } = found ?? first
  return { image, ...(mirrors.length > 0 && { mirrors }) }
}
