import { join } from 'node:path'
import { type BuildContext, readIfExists } from '#sdk'

/** A release to ask for, and who wants it. */
export interface WantedGo {
  /** A release or a line; empty for the newest. */
  readonly version: string
  /** True if a newer release of the same line will do as well. */
  readonly minimum: boolean
  readonly from: string
}

/**
 * Which Go builds the app: `BP_GO_VERSION`, else what go.mod and go.work say. Their `go` and `toolchain` lines name the oldest release that will do
 * (https://go.dev/ref/mod, "go directive"); the newest of that line is taken, for the fixes that are in it.
 */
export async function wantedGo({
  application,
  configuration,
}: Pick<BuildContext, 'application' | 'configuration'>): Promise<WantedGo> {
  const given = configuration
    .given('BP_GO_VERSION')
    ?.trim()
    .replace(/^go(?=\d)/, '')
  if (given) return { version: given, minimum: false, from: 'BP_GO_VERSION' }
  let wanted: WantedGo = { version: '', minimum: true, from: 'the default' }
  for (const file of ['go.mod', 'go.work']) {
    const version = releaseIn((await readIfExists(join(application, file))) ?? '')
    if (version !== '' && isNewer(version, wanted.version)) wanted = { version, minimum: true, from: file }
  }
  return wanted
}

/** The newer of the `go` and `toolchain` lines; of a release that was not final, its line. Empty where there is none. */
export function releaseIn(text: string): string {
  const found = [...text.matchAll(/^[ \t]*(?:go|toolchain)[ \t]+(?:go)?(\d+(?:\.\d+)*)/gm)]
  return found.map(([, version = '']) => version).reduce((a, b) => (isNewer(b, a) ? b : a), '')
}

function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map(text => text.split('.').map(Number)) as [number[], number[]]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1)
    if (difference !== 0) return difference > 0
  }
  return false
}
