import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import type { Component } from '#bom'
import { check, isSystemError, Problem, parseJson } from '#std'
import { dependencyRefused, dependencyUnanswered, noResolver } from './problems.ts'
import type { Target } from './target.ts'

/** What a buildpack asks for. */
export interface DependencyRequest {
  /** `go`, `jdk`, `jre`, `maven`, `node`, `spring-cloud-bindings` or `tomcat`. */
  readonly name: string
  /** A version or the start of one (`21`, `3.9.*`); empty for the newest of the default line. */
  readonly version?: string
  readonly options?: Readonly<Record<string, string | boolean | number>>
}

/** A verified, relocatable, read-only tree of files. */
export interface Dependency {
  readonly name: string
  readonly version: string
  /** Digest of the tree: equal digests mean equal files. */
  readonly digest: string
  /** Where the tree lies during this build. */
  readonly root: string
  readonly purl: string
  readonly cpes: readonly string[]
  readonly licenses: readonly string[]
  /** Everything inside, the dependency itself first. */
  readonly components: readonly Component[]
  /** Variables that its programs want; `$ROOT` stands for the place of the tree. */
  readonly environment: Readonly<Record<string, string>>
  readonly hints: Readonly<Record<string, string>>
}

/** Answers requests; what cannot be had is a `Problem`. */
export type Resolver = (request: DependencyRequest) => Promise<Dependency>

export interface ResolverOptions {
  /** The platform directory of the build. */
  readonly platform: string
  /** The directory of the buildpack, which may hold a resolver of its own. */
  readonly buildpack: string
  /** A directory for what the buildpack's own resolver fetches; it is asked for only then. */
  readonly home: () => Promise<string>
  readonly target: Target
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

/** An import of `node:http` touches every name that it has, and behind some of them is a second HTTP client that takes 40 ms to load. */
const http = () => process.getBuiltinModule('node:http')

const strings = v.array(v.string())
const component = v.object({
  type: v.picklist(['application', 'library', 'operating-system']),
  name: v.string(),
  version: v.string(),
  purl: v.string(),
  cpes: v.exactOptional(strings),
  licenses: v.exactOptional(strings),
})
const answerSchema = v.object({
  name: v.string(),
  version: v.string(),
  digest: v.string(),
  root: v.string(),
  purl: v.string(),
  cpes: strings,
  licenses: strings,
  components: v.array(component),
  environment: v.record(v.string(), v.string()),
  hints: v.record(v.string(), v.string()),
})
const refusalSchema = v.object({
  code: v.optional(v.string(), 'DEPENDENCY_REFUSED'),
  what: v.string(),
  why: v.string(),
  fix: v.string(),
})

/**
 * Asks for dependencies: the platform, where it serves them (`POST /resolve` on `<platform>/dependencies/socket`), else
 * the resolver that the packaged buildpack carries (`resolver.mjs`), which asks the registries that the machine is
 * configured for. Answers are checked before they are used.
 */
export function openResolver(options: ResolverOptions): Resolver {
  const { platform, target } = options
  const socket = join(platform, 'dependencies', 'socket')
  return async ({ name, version = '', options: chosen = {} }) => {
    const wanted = {
      name,
      version,
      arch: target.arch,
      base: { distro: target.distro.name, version: target.distro.version },
      options: chosen,
    }
    const served = await servedBy(socket)
    const answer = served ? await ask(socket, name, wanted) : await resolveHere(options, name, wanted)
    return check(answerSchema, answer, `the answer for ${name}`)
  }
}

/** True if a slipway platform serves dependencies to this build. */
export async function servedBy(socket: string): Promise<boolean> {
  try {
    return (await lstat(socket)).isSocket()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

async function ask(socketPath: string, name: string, wanted: object): Promise<unknown> {
  const { status, text } = await post(socketPath, JSON.stringify(wanted)).catch(error => {
    throw dependencyUnanswered(name, error)
  })
  const source = 'the answer of the platform'
  const body = parseJson(text, source)
  if (status === 200) return body
  const { code, what, why, fix } = check(refusalSchema, body, source)
  throw dependencyRefused(name, code, what, why, fix)
}

function post(socketPath: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((done, failed) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const call = http().request({ socketPath, method: 'POST', path: '/resolve', headers }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => done({ status: response.statusCode ?? 0, text }))
      response.on('error', failed)
    })
    call.on('error', failed)
    call.end(body)
  })
}

/** What `resolver.mjs` exports. Its problems come from another copy of the class, so they are told by their words. */
interface OwnResolver {
  resolve(
    request: object,
    options: {
      home: string
      environment: Readonly<Record<string, string | undefined>>
      say: (line: string) => void
    },
  ): Promise<unknown>
}

async function resolveHere(options: ResolverOptions, name: string, wanted: object): Promise<unknown> {
  const file = join(options.buildpack, 'resolver.mjs')
  const own: OwnResolver = await import(pathToFileURL(file).href).catch(error => {
    if (isSystemError(error, 'ERR_MODULE_NOT_FOUND')) throw noResolver(name)
    throw error
  })
  const { environment, say } = options
  const home = await options.home()
  return await own.resolve(wanted, { home, environment, say }).catch(error => {
    if (error instanceof Problem) throw error
    const words = v.safeParse(refusalSchema, error)
    if (!words.success) throw error
    const { code, what, why, fix } = words.output
    throw dependencyRefused(name, code, what, why, fix)
  })
}
