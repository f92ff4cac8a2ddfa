import * as v from 'valibot'
import { check, type Report, readIfExists, silent } from '#std'
import { openMachineSources } from './machine-sources.ts'
import type { Runtime, RuntimeRequest } from './runtime.ts'
import { openRuntimes } from './session.ts'

/** What a packaged buildpack hands to the resolver that it carries. */
export interface StandaloneOptions {
  /** A directory for what is fetched and unpacked. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

const request = v.object({
  name: v.string(),
  version: v.string(),
  arch: v.picklist(['amd64', 'arm64']),
  base: v.object({ distro: v.string(), version: v.string() }),
  options: v.record(v.string(), v.union([v.string(), v.boolean(), v.number()])),
})

/** Where distributions keep the bundle of all authorities. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]

/**
 * Answers a buildpack's request inside its own process, for lifecycles that serve no dependencies: the same recipes, from the
 * registries that the build image is configured for. The answer is what the platform's server gives, with `root` on
 * this machine. Throws a `Problem` for what cannot be had.
 */
export async function resolve(
  wanted: unknown,
  { home, environment, say }: StandaloneOptions,
): Promise<Omit<Runtime, 'path' | 'lock'> & { readonly root: string }> {
  const asked: RuntimeRequest = check(request, wanted, 'the request of a buildpack')
  const report: Report = {
    ...silent,
    line: say,
    warn: text => say(`WARNING: ${text}`),
    progress: progressOf(say),
  }
  await using sources = openMachineSources({
    home,
    userHome: environment.HOME ?? '/',
    environment,
    node: process.execPath,
    certificates: await authorities(environment),
    now: Date.now,
  })
  const { path, lock: _, ...runtime } = await openRuntimes({ ...sources, home, report }).resolve(asked)
  return { ...runtime, root: path }
}

async function authorities(environment: StandaloneOptions['environment']): Promise<string | undefined> {
  for (const file of [environment.SSL_CERT_FILE, ...BUNDLES]) {
    const text = file && (await readIfExists(file))
    if (text) return text
  }
  return undefined
}

function progressOf(say: (line: string) => void): Report['progress'] {
  return label => {
    say(label.charAt(0).toUpperCase() + label.slice(1))
    return { add() {}, [Symbol.dispose]() {} }
  }
}
