import type { BuildContext } from '#sdk'

/** The words for `go build`, but for what it builds and where to. What the user names himself, in flags or in `GOFLAGS`, is not said here. */
export function buildFlags({
  configuration,
  environment,
}: Pick<BuildContext, 'configuration' | 'environment'>): string[] {
  const own = configuration.words('BP_GO_BUILD_FLAGS')
  const named = new Set([...own, ...(environment.GOFLAGS ?? '').split(/\s+/)].map(nameOf))
  const flags: string[] = []
  // No place of the build is part of the program.
  if (!named.has('trimpath')) flags.push('-trimpath')
  // There is no history in a build, and with one the program would change with each commit.
  if (!named.has('buildvcs')) flags.push('-buildvcs=false')
  // Modules that nobody may write to could not be removed from the cache.
  flags.push('-modcacherw')
  const linker = configuration.text('BP_GO_BUILD_LDFLAGS').trim()
  if (linker !== '' && (configuration.given('BP_GO_BUILD_LDFLAGS') !== undefined || !named.has('ldflags')))
    flags.push(`-ldflags=${linker}`)
  return [...flags, ...own]
}

/** `ldflags` for `-ldflags=-s`, `--ldflags` and the like. */
function nameOf(word: string): string {
  return /^--?([\w-]+)/.exec(word)?.[1] ?? ''
}
