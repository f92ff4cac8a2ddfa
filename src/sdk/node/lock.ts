import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Component } from '#bom'
import { purl } from '#bom'
import { byBytes, check, isSystemError, parseJson } from '#std'
import type { Target } from '../target.ts'

const flag = v.optional(v.boolean(), false)
const lenient = <Schema extends v.GenericSchema>(inner: Schema) => v.fallback(v.optional(inner), undefined)

const entry = v.object({
  name: lenient(v.string()),
  version: lenient(v.string()),
  resolved: lenient(v.string()),
  integrity: lenient(v.string()),
  /** Only for development. */
  dev: flag,
  /** A link to a directory of the app, which `resolved` names. */
  link: flag,
  hasInstallScript: flag,
  license: lenient(v.string()),
  os: lenient(v.array(v.string())),
  cpu: lenient(v.array(v.string())),
})

/** One place of a package in a lock: `node_modules/a/node_modules/b`, or the directory of a workspace. */
export type LockedPackage = v.InferOutput<typeof entry>

/** An entry as version 1 has it. */
interface OldEntry {
  readonly version?: string | undefined
  readonly integrity?: string | undefined
  readonly dev?: boolean | undefined
  readonly dependencies?: Readonly<Record<string, OldEntry>> | undefined
}

const old: v.GenericSchema<OldEntry> = v.object({
  version: v.optional(v.string()),
  integrity: v.optional(v.string()),
  dev: v.optional(v.boolean()),
  dependencies: v.optional(
    v.record(
      v.string(),
      v.lazy(() => old),
    ),
  ),
})

const schema = v.object({
  lockfileVersion: v.optional(v.number(), 1),
  packages: v.exactOptional(v.record(v.string(), entry)),
  dependencies: v.exactOptional(v.record(v.string(), old)),
})

/** The lock file of npm. */
export interface NpmLock {
  /** `package-lock.json` or `npm-shrinkwrap.json`. */
  readonly file: string
  readonly text: string
  /** Every package by its place; the app itself is at the empty one. */
  readonly packages: ReadonlyMap<string, LockedPackage>
}

/** The names that npm knows, the one that wins first. */
export const NPM_LOCKS = ['npm-shrinkwrap.json', 'package-lock.json'] as const

/**
 * Reads npm's lock file (`npm-shrinkwrap.json`, else `package-lock.json`; versions 1 to 3); `undefined` where there is none. Throws a `Problem`
 * (`JSON_MALFORMED`, `DOCUMENT_INVALID`).
 */
export async function readNpmLock(directory: string): Promise<NpmLock | undefined> {
  for (const file of NPM_LOCKS) {
    const path = join(directory, file)
    const text = await readFile(path, 'utf8').catch(error => {
      if (isSystemError(error, 'ENOENT')) return undefined
      throw error
    })
    if (text === undefined) continue
    const bare = text.replace(/^\uFEFF/, '')
    const { packages, dependencies } = check(schema, parseJson(bare, path, 128 * 1024 * 1024), path)
    return {
      file,
      text,
      packages: packages ? new Map(Object.entries(packages)) : placesOf(dependencies ?? {}),
    }
  }
  return undefined
}

/** Version 1 has a tree of names in place of a list of places. */
function placesOf(tree: Readonly<Record<string, OldEntry>>, parent = ''): Map<string, LockedPackage> {
  const places = new Map<string, LockedPackage>()
  for (const [name, { version, integrity, dev = false, dependencies = {} }] of Object.entries(tree)) {
    const place = `${parent}node_modules/${name}`
    places.set(place, { ...NOTHING, version, integrity, dev })
    for (const [inner, each] of placesOf(dependencies, `${place}/`)) places.set(inner, each)
  }
  return places
}

const NOTHING: LockedPackage = {
  ...{ name: undefined, version: undefined, resolved: undefined, integrity: undefined, license: undefined },
  ...{ dev: false, link: false, hasInstallScript: false, os: undefined, cpu: undefined },
}

/**
 * What a lock puts into an image, for bills of materials: each version of a package once, without those of development, those of the app's
 * own workspaces, and those for other machines. Sorted.
 */
export function componentsOfNpmLock({ packages }: NpmLock, target: Pick<Target, 'os' | 'arch'>): Component[] {
  const found = new Map<string, Component>()
  for (const [place, locked] of packages) {
    const name = locked.name ?? /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place)?.[1]
    if (!name || !/(?:^|\/)node_modules\//.test(place) || locked.dev || locked.link) continue
    const component = fits(locked, target) ? componentOf(name, locked) : undefined
    if (component?.purl && !found.has(component.purl)) found.set(component.purl, component)
  }
  return [...found].sort(([a], [b]) => byBytes(a, b)).map(([, component]) => component)
}

/** Version 1 writes an address in place of the version where a package does not come from a registry; such a package is left out. */
function componentOf(full: string, { version, license, integrity }: LockedPackage): Component | undefined {
  const parts = /^(?:(@[^/]+)\/)?([^/]+)$/.exec(full)
  if (!parts || !version || /[:/]/.test(version)) return undefined
  const [, group, name = ''] = parts
  const sha512 = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)/.exec(integrity ?? '')?.[1]
  return {
    type: 'library',
    ...(group && { group }),
    name,
    version,
    purl: purl({ type: 'npm', name, version, ...(group && { namespace: group }) }),
    ...(license && { licenses: [license] }),
    ...(sha512 && { hashes: { 'SHA-512': Buffer.from(sha512, 'base64').toString('hex') } }),
  }
}

const CPU = { amd64: 'x64', arm64: 'arm64' }

/** True if a package is for this machine, by npm's rule: listed, or not listed with `!`. */
function fits({ os, cpu }: LockedPackage, target: Pick<Target, 'os' | 'arch'>): boolean {
  return allows(os, target.os) && allows(cpu, CPU[target.arch])
}

function allows(names: readonly string[] = [], own: string): boolean {
  if (names.includes(`!${own}`)) return false
  const wanted = names.filter(name => !name.startsWith('!'))
  return wanted.length === 0 || wanted.includes(own) || wanted.includes('any')
}
