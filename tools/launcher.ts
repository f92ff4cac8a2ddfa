import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type LauncherBundle, launcherBinary } from '../src/platform/launcher/launcher.ts'
import { readLauncherSources } from '../src/platform/launcher/sources.ts'
import { openMachineSources } from '../src/runtimes/mod.ts'
import { type Digest, printJson, readIfExists, silent } from '../src/std/mod.ts'

/**
 * Cuts the launchers of a release: `launcher-amd64`, `launcher-arm64` and `bundle.json`, which says what they were built from. Only the pinned Go
 * release will do. With them beside it, slipway needs no Go.
 */
export async function bundleLaunchers(outdir: string): Promise<void> {
  const sources = join(import.meta.dirname, '../launcher')
  const home = join(import.meta.dirname, '../.cache/launcher')
  const { digest, pin } = await readLauncherSources(sources)
  const certificates = process.env.SSL_CERT_FILE ?? process.env.NODE_EXTRA_CA_CERTS
  await using machine = openMachineSources({
    home,
    userHome: homedir(),
    environment: process.env,
    node: process.execPath,
    certificates: certificates && (await readIfExists(certificates)),
    now: Date.now,
  })
  await rm(outdir, { recursive: true, force: true })
  await mkdir(outdir, { recursive: true })
  const launchers: Record<string, Digest> = {}
  for (const arch of ['amd64', 'arm64'] as const) {
    const { goModules } = machine
    const options = { arch, machine: process.arch, home, environment: process.env, goModules, report: silent }
    const made = await launcherBinary({ ...options, places: { sources } })
    if (made.go !== pin.go) throw new Error(`a release is cut with Go ${pin.go}, and this is ${made.go}`)
    await copyFile(made.path, join(outdir, `launcher-${arch}`))
    launchers[arch] = made.digest
  }
  const bundle: LauncherBundle = { version: pin.version, go: pin.go, sources: digest, launchers }
  await writeFile(join(outdir, 'bundle.json'), printJson(bundle))
}

if (process.argv[1] === import.meta.filename) await bundleLaunchers('dist/launcher')
