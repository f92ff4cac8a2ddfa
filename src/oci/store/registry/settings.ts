import { join } from 'node:path'
import * as v from 'valibot'
import { check, parseToml, readIfExists } from '#std'
import { parseReference, parseRegistry } from '../../reference.ts'

const names = v.optional(v.union([v.string(), v.array(v.string())]))
const schema = v.strictObject({
  registry: v.optional(
    v.array(
      v.strictObject({
        host: v.string(),
        mirrors: v.optional(v.array(v.string())),
        insecure: v.optional(v.boolean()),
        'token-server': names,
      }),
    ),
    [],
  ),
})

/** A mirror: a host, and the path below which it has the repositories of the registry that it mirrors. */
export interface Mirror {
  readonly registry: string
  /** Empty, or a path with a slash at its end. */
  readonly path: string
}

/** What is said of one registry. */
export interface RegistrySettings {
  readonly insecure: boolean
  readonly mirrors: readonly Mirror[]
  /** Hosts that are told the registry's credentials when it names them as its token server. */
  readonly tokenServers: readonly string[]
}

const NOTHING: RegistrySettings = { insecure: false, mirrors: [], tokenServers: [] }

/** The settings of each registry by its host. */
export type SettingsOf = (host: string) => RegistrySettings

/**
 * Reads what this machine says of registries: `SLIPWAY_REGISTRIES`, else `slipway/registries.toml` below `~/.config`, else below `/etc` (docs/registries.md). `insecure` adds hosts that may be spoken to
 * without TLS. Throws a `Problem` (`TOML_MALFORMED`, `DOCUMENT_INVALID`, `REFERENCE_INVALID`).
 */
export async function readRegistrySettings(
  environment: Readonly<Record<string, string | undefined>>,
  userHome: string,
  insecure: readonly string[],
): Promise<SettingsOf> {
  const { SLIPWAY_REGISTRIES, XDG_CONFIG_HOME } = environment
  const usual = [
    join(XDG_CONFIG_HOME || join(userHome, '.config'), 'slipway/registries.toml'),
    '/etc/slipway/registries.toml',
  ]
  const found = new Map<string, RegistrySettings>()
  for (const path of SLIPWAY_REGISTRIES ? [SLIPWAY_REGISTRIES] : usual) {
    const text = await readIfExists(path)
    if (text === undefined) continue
    for (const [host, settings] of parseRegistrySettings(text, path)) found.set(host, settings)
    break
  }
  for (const text of insecure) {
    const host = parseRegistry(text)
    found.set(host, { ...(found.get(host) ?? NOTHING), insecure: true })
  }
  return host => found.get(host) ?? NOTHING
}

/** Reads one file of settings. */
export function parseRegistrySettings(text: string, path: string): Map<string, RegistrySettings> {
  const { registry } = check(schema, parseToml(text, path), path, text)
  return new Map(
    registry.map(({ host, mirrors = [], insecure = false, 'token-server': servers = [] }) => [
      parseRegistry(host),
      {
        insecure,
        mirrors: mirrors.map(parseMirror),
        tokenServers: [servers].flat().map(each => parseRegistry(each)),
      },
    ]),
  )
}

function parseMirror(text: string): Mirror {
  const [host = '', ...path] = text.replace(/\/$/, '').split('/')
  const registry = parseRegistry(host, text)
  // Any repository will do to have the path checked.
  if (path.length > 0) parseReference(`${registry}/${path.join('/')}/x`)
  return { registry, path: path.length > 0 ? `${path.join('/')}/` : '' }
}
