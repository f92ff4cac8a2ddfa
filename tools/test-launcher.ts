import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { goEnvironment } from '../src/platform/launcher/build.ts'
import { fetchGo, type GoToolchain, installedGo } from '../src/platform/launcher/go-toolchain.ts'
import { readLauncherSources } from '../src/platform/launcher/sources.ts'
import { openMachineSources } from '../src/runtimes/mod.ts'
import { Problem, readIfExists, silent, temporaryDirectory } from '../src/std/mod.ts'

/**
 * Runs `go vet` and `go test -v` on the launcher: with the go on the PATH, else with the pinned release that slipway itself fetches. Where neither is to
 * be had it says so and passes.
 */
const checkout = join(import.meta.dirname, '..')
const launcher = join(checkout, 'launcher')

async function choose(): Promise<GoToolchain> {
  const installed = await installedGo(process.env)
  if (installed) return installed
  const home = join(checkout, '.cache/launcher-tests')
  const { pin } = await readLauncherSources(launcher)
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const bundle = process.env.SSL_CERT_FILE ?? process.env.NODE_EXTRA_CA_CERTS
  await using sources = openMachineSources({
    home,
    userHome: homedir(),
    environment: process.env,
    node: process.execPath,
    certificates: bundle && (await readIfExists(bundle)),
    now: Date.now,
  })
  const { goModules } = sources
  return await fetchGo({ release: pin.go, arch, h1: pin.toolchains[arch], home, goModules, report: silent })
}

async function run(go: GoToolchain, words: readonly string[], scratch: string): Promise<number> {
  const { HOME, GOCACHE = HOME && join(HOME, '.cache/go-build') } = process.env
  // The user's cache makes the second run fast; everything else is as when the launcher is built.
  const env = { ...(await goEnvironment(go, scratch)), ...(GOCACHE && { GOCACHE }) }
  const child = spawn(join(go.root, 'bin/go'), words, {
    cwd: launcher,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', code => done(code ?? 1))
  })
}

try {
  await using go = await choose()
  await using scratch = await temporaryDirectory(join(checkout, '.cache'), 'launcher-')
  process.stdout.write(`with ${go.version}\n`)
  for (const words of [
    ['vet', './...'],
    ['test', '-v', './...'],
  ]) {
    const code = await run(go, words, scratch.path)
    if (code !== 0) process.exitCode = 1
  }
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stdout.write(`--- SKIP: the launcher's tests: ${error.what}: ${error.why}\n    ${error.fix}\n`)
}
