import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Report, temporaryDirectory } from '#std'
import type { GoToolchain } from './go-toolchain.ts'
import { launcherUnbuildable } from './problems.ts'
import type { LauncherSources } from './sources.ts'

/** What a build of the launcher is made with. */
export interface LauncherBuild {
  readonly go: GoToolchain
  readonly sources: LauncherSources
  readonly arch: 'amd64' | 'arm64'
  /** The state directory of slipway. */
  readonly home: string
  readonly report: Report
  readonly signal?: AbortSignal | undefined
}

/**
 * Builds the launcher: static, without paths, times or ids of this machine in it. The same Go release makes the same bytes everywhere, so nothing of
 * the user's Go configuration is let in. There is nothing to download, and downloading is off. Throws a `Problem`
 * (`LAUNCHER_UNBUILDABLE`).
 */
export async function buildLauncher(build: LauncherBuild): Promise<Buffer> {
  const { go, sources, arch, home, report, signal } = build
  await using directory = await temporaryDirectory(join(home, 'launcher'), '.build-')
  const output = join(directory.path, 'launcher')
  using _ = report.progress(`Building the launcher for ${arch} with ${go.version}`)
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=', '-o', output, '.']
  await runGo(['build', ...flags], {
    go,
    directory: sources.directory,
    scratch: directory.path,
    signal,
    environment: { GOOS: 'linux', GOARCH: arch },
  }).catch(cause => {
    if (signal?.aborted) throw cause
    const words = 'stderr' in cause ? String(cause.stderr).trim().split('\n').slice(-3).join(' ') : ''
    throw launcherUnbuildable(
      `${go.version} did not succeed: ${words || cause.message}`,
      sources.pin.go,
      cause,
    )
  })
  return await readFile(output)
}

/** How a go command is run. */
export interface GoRun {
  readonly go: GoToolchain
  readonly directory: string
  /** A directory for its caches and temporary files. */
  readonly scratch: string
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Runs a go command with an environment of our own making. */
export async function runGo(words: readonly string[], run: GoRun): Promise<void> {
  const { go, directory, scratch, signal } = run
  const environment = await goEnvironment(go, scratch)
  await new Promise<void>((done, fail) => {
    const options = {
      cwd: directory,
      env: { ...environment, ...run.environment },
      maxBuffer: 16 << 20,
      ...(signal && { signal }),
    }
    execFile(join(go.root, 'bin/go'), words, options, (error, _, stderr) =>
      error ? fail(Object.assign(error, { stderr })) : done(),
    )
  })
}

/** The variables that a go command gets: none of the user's settings, no network, everything temporary in one place. */
export async function goEnvironment(go: GoToolchain, scratch: string): Promise<Record<string, string>> {
  const temporary = join(scratch, 'tmp')
  await mkdir(temporary, { recursive: true })
  return {
    PATH: `${join(go.root, 'bin')}:/usr/bin:/bin`,
    HOME: scratch,
    TMPDIR: temporary,
    GOROOT: go.root,
    GOCACHE: join(scratch, 'cache'),
    GOPATH: join(scratch, 'path'),
    GOENV: 'off',
    GOFLAGS: '',
    GOWORK: 'off',
    GO111MODULE: 'on',
    GOTOOLCHAIN: 'local',
    GOTELEMETRY: 'off',
    GOPROXY: 'off',
    GOSUMDB: 'off',
    GOVCS: '*:off',
    GOEXPERIMENT: '',
    GODEBUG: '',
    GOFIPS140: 'off',
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    CGO_ENABLED: '0',
    LC_ALL: 'C',
  }
}
