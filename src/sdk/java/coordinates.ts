import type { Manifest } from './manifest.ts'

/** What names a jar in a Maven repository, as far as the jar tells. */
export interface Coordinates {
  /** The Maven group; absent where nothing in the jar tells it. */
  readonly group?: string
  readonly name: string
  /** Empty where it is not known. */
  readonly version: string
  /** What tells several jars of one version apart, such as `linux-x86_64`. */
  readonly classifier?: string
}

/**
 * Finds out what a jar is: from the `pom.properties` that Maven puts into it, else from its file name, and the group from
 * those attributes of the manifest that Gradle's and OSGi's tools write. A jar that others were merged into holds several
 * `pom.properties`; the one counts whose artifact the file is named after.
 */
export function coordinatesOf(
  file: string,
  manifest: Manifest,
  properties: readonly ReadonlyMap<string, string>[],
): Coordinates {
  const bare = file.replace(/\.[jw]ar$/, '')
  const own = properties
    .filter(each => bare === each.get('artifactId') || bare.startsWith(`${each.get('artifactId')}-`))
    .toSorted((a, b) => (b.get('artifactId') ?? '').length - (a.get('artifactId') ?? '').length)[0]
  const [group, name, version] = ['groupId', 'artifactId', 'version'].map(key => own?.get(key))
  if (group && name && version) {
    const start = `${name}-${version}-`
    return { group, name, version, ...(bare.startsWith(start) && { classifier: bare.slice(start.length) }) }
  }
  const [, named = bare, numbered = ''] = /^(.+?)-(\d[\w.+-]*)$/.exec(bare) ?? []
  const guessed = groupOf(named, manifest)
  return {
    name: named,
    version: numbered || manifest.get('Implementation-Version') || '',
    ...(guessed && { group: guessed }),
  }
}

const GROUP = /^[a-z][\w-]*(\.[\w-]+)+$/i

function groupOf(name: string, manifest: Manifest): string | undefined {
  const title = /^([^#\s]+)#([^;]+);/.exec(manifest.get('Implementation-Title') ?? '')
  const bundle = (manifest.get('Bundle-SymbolicName') ?? '').split(';')[0] ?? ''
  const candidates = [
    title?.[2] === name ? title[1] : undefined,
    bundle.endsWith(`.${name}`) ? bundle.slice(0, -name.length - 1) : undefined,
    springGroup(manifest.get('Automatic-Module-Name') ?? ''),
    manifest.get('Implementation-Vendor-Id'),
  ]
  return candidates.find(each => each !== undefined && GROUP.test(each))
}

/** Spring's jars tell their group by nothing but the name of their module. */
function springGroup(module: string): string | undefined {
  const [first, project = ''] = module.split('.')
  if (first !== 'spring') return undefined
  const named = ['boot', 'cloud', 'data', 'security', 'integration', 'batch', 'session', 'kafka']
  return named.includes(project) ? `org.springframework.${project}` : 'org.springframework'
}
