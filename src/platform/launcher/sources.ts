import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { byBytes, check, type Digest, digestOf, parseJson } from '#std'

/** What the launcher is built from. */
export interface LauncherSources {
  readonly directory: string
  /** Changes with every file that can change the binary, and with the Go release. */
  readonly digest: Digest
  readonly pin: LauncherPin
}

const text = v.pipe(v.string(), v.maxLength(200))
const pinSchema = v.strictObject({
  /** Version of the launcher. */
  version: text,
  /** The Go release that builds it, such as `1.26.8`. */
  go: v.pipe(text, v.regex(/^\d+\.\d+(\.\d+)?$/)),
  /** The `h1:` digests of that release's toolchains, by the architecture that they run on. */
  toolchains: v.strictObject({ amd64: text, arm64: text }),
})

/** What `launcher.json` beside the sources pins. */
export type LauncherPin = v.InferOutput<typeof pinSchema>

/** Reads the launcher's directory. Tests do not count. */
export async function readLauncherSources(directory: string): Promise<LauncherSources> {
  const names = await readdir(directory, { recursive: true, encoding: 'utf8' })
  const counted = names.filter(name => /(?:^|\/)(?:[^/]+\.go|go\.mod|launcher\.json)$/.test(name))
  const parts: string[] = []
  for (const name of counted.filter(each => !each.endsWith('_test.go')).sort(byBytes)) {
    parts.push(`${digestOf(await readFile(join(directory, name)))}  ${name}\n`)
  }
  const path = join(directory, 'launcher.json')
  const content = await readFile(path, 'utf8')
  return {
    directory,
    digest: digestOf(parts.join('')),
    pin: check(pinSchema, parseJson(content, path), path, content),
  }
}
