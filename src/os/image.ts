import type { Digest } from '#std'
import { CNB } from './accounts.ts'
import type { BaseLock } from './lock.ts'
import type { Recipe } from './recipe.ts'

/** How the image of a base is configured, in the words of the OCI image specification. */
export interface BaseSettings {
  readonly os: 'linux'
  readonly architecture: string
  /** When Debian last signed anything that is in it, ISO 8601. */
  readonly created: string
  readonly config: {
    readonly User: string
    readonly Env: readonly string[]
    readonly Labels: Readonly<Record<string, string>>
  }
  readonly history: { readonly created: string; readonly created_by: string }
}

/** The label under which an image says what it was assembled from (`baseKey`). */
export const KEY_LABEL = 'io.slipway.base.key'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** When Debian last signed anything that a lock was resolved from, ISO 8601. */
export function releasedAt({ suites }: BaseLock): string {
  const dates = suites.map(({ date }) => date).toSorted()
  return dates.at(-1) ?? '1980-01-01T00:00:01.000Z'
}

/** Derives the image's settings: CNB labels for targets (Platform API ≥ 0.12) and stacks (older tools), user, environment. */
export function settingsOf(recipe: Recipe, lock: BaseLock, key: Digest): BaseSettings {
  const version = recipe.releases[lock.release]?.version ?? ''
  const created = releasedAt(lock)
  const id = `io.slipway.debian.${lock.release}`
  const both = {
    'distro.name': 'debian',
    'distro.version': version,
    maintainer: 'slipway',
    homepage: 'https://www.debian.org/',
    description: recipe.summary,
    released: created.slice(0, 10),
  }
  const labels: Record<string, string> = { 'io.buildpacks.base.id': id, 'io.buildpacks.stack.id': id }
  for (const [name, value] of Object.entries(both)) {
    labels[`io.buildpacks.base.${name}`] = value
    labels[`io.buildpacks.stack.${name}`] = value
  }
  labels['io.buildpacks.stack.mixins'] = JSON.stringify(lock.packages.map(({ name }) => name))
  labels['org.opencontainers.image.title'] = `slipway/${recipe.name}`
  labels[KEY_LABEL] = key
  const build = recipe.role === 'build'
  const environment = [
    PATH,
    'LANG=C.UTF-8',
    `CNB_STACK_ID=${id}`,
    ...(build ? [`CNB_USER_ID=${CNB.uid}`, `CNB_GROUP_ID=${CNB.gid}`] : []),
  ]
  const sorted = Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return {
    os: 'linux',
    architecture: lock.arch,
    created,
    config: { User: `${CNB.uid}:${CNB.gid}`, Env: environment, Labels: sorted },
    history: { created, created_by: `slipway base ${recipe.name} ${lock.release}` },
  }
}
