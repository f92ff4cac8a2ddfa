import { lstat, mkdir, readdir, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, byBytes, type GoBuildInfo, isSystemError, readGoBuildInfo } from '#sdk'

/** A Go that can be run. */
export interface Go {
  readonly command: string
  /** Changes with its files. */
  readonly identity: string
}

/** A program that was built. */
export interface Program {
  /** The name of its file. */
  readonly name: string
  readonly info: GoBuildInfo | undefined
}

/** Builds all targets with one call, so that they share the work, into a directory that is made for it. */
export async function compile(
  context: BuildContext,
  go: Go,
  flags: readonly string[],
  targets: readonly string[],
  directory: string,
): Promise<void> {
  const { application, configuration, log, run } = context
  const variables = await goVariables(context)
  await mkdir(directory, { recursive: true })
  await using _ = await homeWithNetrc(context)
  const modules = configuration
    .text('BP_GO_WORK_USE')
    .split(':')
    .filter(path => path !== '')
  if (modules.length > 0) {
    if (!(await exists(join(application, 'go.work')))) await run(go.command, ['work', 'init'], { variables })
    log.detail(`Executing go work use ${modules.join(' ')}`)
    await run(go.command, ['work', 'use', '--', ...modules], { variables })
  }
  log.detail(`Executing go build ${[...flags, ...targets].map(shown).join(' ')}`)
  await run(go.command, ['build', ...flags, '-o', `${directory}/`, ...targets], { variables })
}

/** A word as it would be typed. */
function shown(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The programs in a directory, by name. */
export async function programsIn(directory: string): Promise<Program[]> {
  const names = (await readdir(directory)).sort(byBytes)
  return await Promise.all(
    names.map(async name => ({ name, info: await readGoBuildInfo(join(directory, name)) })),
  )
}

/** The user's own settings of Go stay, save where caches are and what the image is for. */
async function goVariables({ environment, layers, target, bindings }: BuildContext) {
  const [modules, cache] = await Promise.all([layers.keep('modules'), layers.keep('build-cache')])
  const netrc = netrcOf(bindings)
  return {
    CGO_ENABLED: environment.CGO_ENABLED || '0',
    GOCACHE: cache.directory,
    GOPATH: modules.directory,
    GOMODCACHE: join(modules.directory, 'mod'),
    GOOS: target.os,
    GOARCH: target.arch,
    // The release was chosen before, and is verified.
    GOTOOLCHAIN: 'local',
    GOROOT: undefined,
    GOBIN: undefined,
    ...(netrc !== undefined && { NETRC: netrc }),
  }
}

function netrcOf(bindings: BuildContext['bindings']): string | undefined {
  const binding = bindings.only('netrc')
  return binding?.path('.netrc') ?? binding?.path('netrc')
}

/** git, which fetches what comes from no proxy, looks for credentials at home alone; a link is there as long as this is open. */
async function homeWithNetrc({ bindings, environment }: BuildContext): Promise<AsyncDisposable> {
  const netrc = netrcOf(bindings)
  const place = environment.HOME && join(environment.HOME, '.netrc')
  if (netrc === undefined || !place || (await exists(place))) return { async [Symbol.asyncDispose]() {} }
  try {
    await symlink(netrc, place)
    return { [Symbol.asyncDispose]: () => unlink(place) }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EROFS', 'EPERM')) throw error
    return { async [Symbol.asyncDispose]() {} }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
