import { lstat } from 'node:fs/promises'
import { join } from 'node:path'

/** Where static programs stand. */
const STATIC = 'slipway/run:static'

/**
 * The run image that an app of slipway's own buildpacks gets where nobody names one: `run:static` for a Go module that is built without cgo, since its programs need
 * no more; `undefined` for the usual one. Decided before detection, by what the buildpack for Go detects by, so that an app stands on one base from the
 * first phase to the last. A Procfile may want a shell, and flags may want a linker that static programs know nothing of; both get the usual one.
 */
export async function fittingRunImage(
  directory: string,
  ignored: (path: Buffer, directory: boolean) => boolean,
  variables: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const has = async (name: string) =>
    !ignored(Buffer.from(name), false) &&
    (await lstat(join(directory, name)).then(
      found => found.isFile(),
      () => false,
    ))
  if (!(await has('go.mod')) && !(await has('go.work'))) return undefined
  if (await has('Procfile')) return undefined
  const { CGO_ENABLED = '', GOFLAGS = '', BP_GO_BUILD_FLAGS = '', BP_GO_BUILD_LDFLAGS = '' } = variables
  const flags = [GOFLAGS, BP_GO_BUILD_FLAGS, BP_GO_BUILD_LDFLAGS].join(' ')
  const dynamic =
    !['', '0'].includes(CGO_ENABLED) || /-(?:buildmode|linkmode|linkshared|race|msan|asan)\b/.test(flags)
  return dynamic ? undefined : STATIC
}
