import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseBuildpackId, parseVersion, type Target } from '#cnb'
import { isSystemError, printToml } from '#std'
import { shipped } from '../shipped.ts'
import { scaffoldTaken } from './problems.ts'
import { bashFiles, typescriptFiles } from './scaffold-files.ts'

/** What a new buildpack is to be. */
export interface ScaffoldRequest {
  readonly id: string
  readonly version: string
  readonly api: string
  readonly directory: string
  readonly language: 'bash' | 'typescript'
  readonly targets: readonly Target[]
}

/**
 * Makes a buildpack that can be built with and packaged at once, to be changed from there: in bash, or in TypeScript for Node.js. Nothing that is there is overwritten.
 * Returns the files. Throws a `Problem` (`SCAFFOLD_TAKEN`, `BUILDPACK_ID_INVALID`, `BUILDPACK_VERSION_INVALID`).
 */
export async function scaffoldBuildpack(request: ScaffoldRequest): Promise<string[]> {
  const { directory, language } = request
  const id = parseBuildpackId(request.id, 'the command line')
  const version = parseVersion(request.version, 'the command line')
  const descriptor = printToml({
    api: request.api,
    buildpack: { id, version, name: id },
    targets: request.targets.map(({ os, arch, variant }) => ({
      ...(os && { os }),
      ...(arch && { arch }),
      ...(variant && { variant }),
    })),
  })
  const files = {
    'buildpack.toml': { text: descriptor, mode: 0o644 },
    'package.toml': { text: '[buildpack]\nuri = "."\n', mode: 0o644 },
    ...(language === 'bash' ? bashFiles(id) : typescriptFiles(id, await readSdk())),
  }
  const written: string[] = []
  for (const [name, { text, mode }] of Object.entries(files)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    try {
      await writeFile(path, text, { flag: 'wx', mode })
    } catch (error) {
      if (isSystemError(error, 'EEXIST')) throw scaffoldTaken(directory, name)
      throw error
    }
    await chmod(path, mode)
    written.push(name)
  }
  return written
}

/** The SDK in one file, as it is shipped beside the program. */
async function readSdk(): Promise<string> {
  return readFile(join(shipped('dist/sdk'), 'sdk.mjs'), 'utf8')
}
