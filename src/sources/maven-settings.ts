import { readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError, openZip, readIfExists } from '#std'
import { mavenPasswordLocked } from './registry-problems.ts'
import { elements, parseXml, textAt, type XmlElement } from './xml.ts'

/** A Maven repository as the machine's settings say it: where it really is, mirrors applied, and what opens the door. */
export interface MavenRepository {
  readonly id: string
  /** Ends in a slash. */
  readonly url: string
  readonly authorization?: string
}

/** Where Maven keeps its configuration on this machine. */
export interface MavenPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  /**
   * The super POM of a Maven that is not installed, asked for only where nothing else tells the address of `central`.
   */
  readonly superPom?: () => Promise<string | undefined>
}

/**
 * The repositories that Maven would ask for a released artefact, in order: those of active profiles, then `central`, each
 * replaced by the mirror that stands for it. `SLIPWAY_MAVEN_MIRROR` stands for all. The address of `central` comes from
 * the super POM inside Maven itself. Empty if nothing on this machine knows one.
 */
export async function readMavenRepositories(places: MavenPlaces): Promise<MavenRepository[]> {
  const { environment, home } = places
  const forced = environment.SLIPWAY_MAVEN_MIRROR
  if (forced) return [repositoryAt('central', forced, undefined)]
  const installed = await installedMavens(environment)
  const files = [join(home, '.m2/settings.xml'), ...installed.map(maven => join(maven, 'conf/settings.xml'))]
  const settings: XmlElement[] = []
  for (const file of files) {
    const text = await readIfExists(file)
    if (text !== undefined) settings.push(parseXml(text, file))
  }
  const expand = (text: string) => expanded(text, places)
  const configured = configuredRepositories(settings, environment).map(({ id, url }) => ({
    id,
    url: expand(url),
  }))
  if (!configured.some(({ id }) => id === 'central')) {
    const mirrored = mirrorFor('central', 'https://central.invalid/', settings)
    // An address that a mirror replaces anyway need not be known.
    const url = mirrored ? 'https://central.invalid/' : await centralOf(installed, places)
    if (url !== undefined) configured.push({ id: 'central', url })
  }
  return configured.map(({ id, url }) => {
    const mirror = mirrorFor(id, url, settings)
    const real = mirror ?? { id, url }
    return repositoryAt(real.id, expand(real.url), serverOf(real.id, settings, expand))
  })
}

function repositoryAt(id: string, url: string, server: string | undefined): MavenRepository {
  const parsed = new URL(url.endsWith('/') ? url : `${url}/`)
  const inside = parsed.username
    ? `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
    : undefined
  parsed.username = ''
  parsed.password = ''
  const pair = server ?? inside
  return {
    id,
    url: parsed.href,
    ...(pair && { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }),
  }
}

function configuredRepositories(
  settings: XmlElement[],
  environment: MavenPlaces['environment'],
): { id: string; url: string }[] {
  const named = new Set(
    settings.flatMap(root => elements(root, 'activeProfiles', 'activeProfile')).map(({ text }) => text),
  )
  const found = new Map<string, string>()
  for (const root of settings) {
    for (const profile of elements(root, 'profiles', 'profile')) {
      const active = named.has(textAt(profile, 'id') ?? '') || activates(profile, environment)
      for (const repository of active ? elements(profile, 'repositories', 'repository') : []) {
        const [id, url] = [textAt(repository, 'id'), textAt(repository, 'url')]
        const released = textAt(repository, 'releases', 'enabled') !== 'false'
        if (id && url && released && !found.has(id)) found.set(id, url)
      }
    }
  }
  return [...found].map(([id, url]) => ({ id, url }))
}

function activates(profile: XmlElement, environment: MavenPlaces['environment']): boolean {
  if (textAt(profile, 'activation', 'activeByDefault') === 'true') return true
  const property = /^env\.(.+)$/.exec(textAt(profile, 'activation', 'property', 'name') ?? '')?.[1]
  const value = property === undefined ? undefined : environment[property]
  return value !== undefined && (textAt(profile, 'activation', 'property', 'value') ?? value) === value
}

/** The first mirror whose `mirrorOf` covers the repository: `*`, `external:*`, names, and `!name` to leave one out. */
function mirrorFor(id: string, url: string, settings: XmlElement[]): { id: string; url: string } | undefined {
  for (const mirror of settings.flatMap(root => elements(root, 'mirrors', 'mirror'))) {
    const [name, place] = [textAt(mirror, 'id'), textAt(mirror, 'url')]
    const patterns = (textAt(mirror, 'mirrorOf') ?? '').split(',').map(pattern => pattern.trim())
    if (!place || textAt(mirror, 'blocked') === 'true' || patterns.includes(`!${id}`)) continue
    const outside = !/^(?:file:|https?:\/\/(?:localhost|127\.))/.test(url)
    const covers = patterns.some(
      pattern =>
        pattern === '*' ||
        pattern === id ||
        (pattern === 'external:*' && outside) ||
        (pattern === 'external:http:*' && outside && url.startsWith('http:')),
    )
    if (covers) return { id: name ?? id, url: place }
  }
  return undefined
}

function serverOf(id: string, settings: XmlElement[], expand: (text: string) => string): string | undefined {
  const servers = settings.flatMap(root => elements(root, 'servers', 'server'))
  const server = servers.find(candidate => textAt(candidate, 'id') === id)
  const [user, password] = [server && textAt(server, 'username'), server && textAt(server, 'password')]
  if (!user || !password) return undefined
  if (/^\{.*\}$/s.test(password)) throw mavenPasswordLocked(id)
  return `${expand(user)}:${expand(password)}`
}

function expanded(text: string, { environment, home }: MavenPlaces): string {
  return text.replace(/\$\{(env\.([^}]+)|user\.home)\}/g, (whole, key: string, name: string | undefined) =>
    key === 'user.home' ? home : (environment[name ?? ''] ?? whole),
  )
}

/** Home directories of the Mavens on this machine, the user's own choice first. */
async function installedMavens(environment: MavenPlaces['environment']): Promise<string[]> {
  const named = [environment.MAVEN_HOME, environment.M2_HOME].filter(
    home => home !== undefined && home !== '',
  )
  const found: string[] = []
  for (const directory of (environment.PATH ?? '').split(':')) {
    if (!directory.startsWith('/')) continue
    const program = await realpath(join(directory, 'mvn')).catch(() => undefined)
    if (program) found.push(dirname(dirname(program)))
  }
  return [...new Set([...(named as string[]), ...found, '/usr/share/maven'])]
}

async function centralOf(installed: string[], places: MavenPlaces): Promise<string | undefined> {
  for (const maven of installed) {
    const pom = await installedSuperPom(join(maven, 'lib'))
    const url = pom === undefined ? undefined : centralIn(pom)
    if (url) return url
  }
  const pom = await places.superPom?.()
  return pom === undefined ? undefined : centralIn(pom)
}

/** The address of the repository called `central` in a super POM. */
export function centralIn(pom: string): string | undefined {
  const repositories = elements(parseXml(pom, "Maven's super POM"), 'repositories', 'repository')
  const central = repositories.find(repository => textAt(repository, 'id') === 'central')
  return central && textAt(central, 'url')
}

async function installedSuperPom(lib: string): Promise<string | undefined> {
  try {
    const jar = (await readdir(lib)).find(name => /^maven-model-builder-[\w.-]+\.jar$/.test(name))
    return jar === undefined ? undefined : await superPomIn(join(lib, jar))
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined
    throw error
  }
}

/** The super POM in the jar of Maven's model builder, which is where Maven itself reads its defaults. */
export async function superPomIn(jar: string): Promise<string | undefined> {
  await using archive = await openZip(jar)
  const entry = archive.entries.find(({ name }) => /^org\/apache\/maven\/model\/pom-4\.0\.0\.xml$/.test(name))
  return entry && (await archive.read(entry)).toString('utf8')
}
