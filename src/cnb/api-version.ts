import { buildpackApiUnsupported, platformApiUnsupported } from './problems.ts'

/** The Platform APIs that slipway speaks, oldest first. */
export const PLATFORM_APIS = ['0.12', '0.13', '0.14', '0.15'] as const
/** The Buildpack APIs that slipway speaks, oldest first. */
export const BUILDPACK_APIS = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12'] as const

export type PlatformApi = (typeof PLATFORM_APIS)[number]
export type BuildpackApi = (typeof BUILDPACK_APIS)[number]

/** Reads `CNB_PLATFORM_API` (`v0.15`, `0.15`). Throws a `Problem` (`PLATFORM_API_UNSUPPORTED`, exit code 11). */
export function parsePlatformApi(text: string | undefined): PlatformApi {
  const api = PLATFORM_APIS.find(supported => supported === canonical(text ?? ''))
  if (api === undefined) throw platformApiUnsupported(text ?? '', PLATFORM_APIS)
  return api
}

/** Reads `api` of a buildpack.toml. Throws a `Problem` (`BUILDPACK_API_UNSUPPORTED`, exit code 12). */
export function parseBuildpackApi(text: string, source: string): BuildpackApi {
  const api = BUILDPACK_APIS.find(supported => supported === canonical(text))
  if (api === undefined) throw buildpackApiUnsupported(text, source, BUILDPACK_APIS)
  return api
}

/** Compares two versions of the form `major.minor`: negative, zero or positive, as sort functions do. */
export function compareApis(a: string, b: string): number {
  const [majorA, minorA] = parts(a)
  const [majorB, minorB] = parts(b)
  return majorA - majorB || minorA - minorB
}

/** True if a version is the other or a newer one. */
export function atLeast(api: BuildpackApi | PlatformApi, wanted: BuildpackApi | PlatformApi): boolean {
  return compareApis(api, wanted) >= 0
}

/** Version text as the reference reads it: an optional `v`, a major, an optional minor. */
function canonical(text: string): string | undefined {
  const match = /^v?(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text)
  return match ? `${Number(match[1])}.${Number(match[2] ?? 0)}` : undefined
}

function parts(api: string): [major: number, minor: number] {
  const [major, minor] = api.split('.')
  return [Number(major), Number(minor ?? 0)]
}
