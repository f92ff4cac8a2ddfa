import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Artifact, metered } from '#sources'
import { type Digest, digestOf, hexOf, isSystemError, Problem, printJson, temporaryDirectory } from '#std'
import type { RuntimeContext } from './context.ts'
import { goRecipe } from './go.ts'
import { javaRecipe } from './java.ts'
import { fetchLocked } from './locked.ts'
import { materialise } from './materialise.ts'
import { mavenRecipe } from './maven-central.ts'
import { misfit, scanNeeds } from './needs.ts'
import { nodeRecipe } from './node.ts'
import { npmRecipe } from './npm.ts'
import { doesNotFit, lockedElsewhere, lockedVanished, lockMissing, unknownRuntime } from './problems.ts'
import type { FetchedArtifact, Recipe } from './recipe.ts'
import { type Recorded, readRecord, writeRecord } from './records.ts'
import type { LockedArtifact, Runtime, RuntimeLock, RuntimeRequest } from './runtime.ts'
import { treeDigest } from './tree.ts'
import { sizeOf } from './unpack.ts'

/** The names that requests may use. */
export const RUNTIME_NAMES: readonly string[] = [
  'go',
  'jdk',
  'jre',
  'maven',
  'node',
  'npm',
  'spring-cloud-bindings',
  'tomcat',
]

/**
 * Finds, fetches, unpacks and checks a runtime. With an entry of a lock exactly what it names, and no network if the
 * tree or its files are here; without one the newest version that fits the request. Trees are kept by digest and shared
 * by all apps. Throws a `Problem` for whatever cannot be had, does not fit, or is not what was promised.
 */
export async function resolveRuntime(request: RuntimeRequest, context: RuntimeContext): Promise<Runtime> {
  const recipe = recipeOf(request)
  const lock = context.lock
  const usable = lock && lock.name === request.name && lock.arch === request.arch && lock.recipe === recipe.id
  if (!usable && context.locked) throw lockMissing(wordsFor(request))
  const runtime = usable
    ? await fromLock(request, recipe, lock, context)
    : await anew(request, recipe, context)
  const misfits = misfit(runtime.needs, request.base)
  const { distro, version } = request.base
  if (misfits)
    throw doesNotFit(`${runtime.name} ${runtime.version}`, `${distro} ${version}`, misfits.wants, misfits.has)
  return runtime
}

function recipeOf(request: RuntimeRequest): Recipe {
  const { name, options } = request
  const recipe =
    name === 'node'
      ? nodeRecipe(options?.headers === true)
      : name === 'jdk' || name === 'jre'
        ? javaRecipe(request)
        : name === 'npm'
          ? npmRecipe
          : name === 'go'
            ? goRecipe
            : mavenRecipe(name)
  if (!recipe) throw unknownRuntime(name, RUNTIME_NAMES)
  return recipe
}

async function fromLock(
  request: RuntimeRequest,
  recipe: Recipe,
  lock: RuntimeLock,
  context: RuntimeContext,
): Promise<Runtime> {
  const recorded = await readRecord(context.home, keyOf(lock))
  if (recorded?.lock.tree === lock.tree) return recorded
  const artifacts: FetchedArtifact[] = []
  for (const artifact of lock.artifacts) {
    try {
      using progress = context.report.progress(`fetching ${artifact.name} ${artifact.version}`, artifact.size)
      const { path } = await metered(
        bytes => progress.add(bytes),
        () => fetchLocked(artifact, context),
      )
      artifacts.push({ ...artifact, path })
    } catch (error) {
      const vanished =
        error instanceof Problem && isSystemError(error, 'SOURCE_NOT_FOUND', 'PACKAGE_VANISHED')
      if (!vanished) throw error
      const words = `${lock.name} ${lock.version}`
      const what = `${artifact.name} ${artifact.version}`
      if (context.locked) throw lockedVanished(words, what)
      const runtime = await anew(request, recipe, context)
      context.report.warn(
        `${what} is no longer offered anywhere: ${words} was locked, ${runtime.version} is used now`,
      )
      return runtime
    }
  }
  const runtime = await make(request, recipe, lock.version, artifacts, context)
  if (runtime.digest === lock.tree) return runtime
  throw lockedElsewhere(`${lock.name} ${lock.version}`, lock.tree, runtime.digest)
}

async function anew(request: RuntimeRequest, recipe: Recipe, context: RuntimeContext): Promise<Runtime> {
  const plan = await recipe.plan(request, context)
  const artifacts: FetchedArtifact[] = []
  for (const { fetch, ...planned } of plan.artifacts) {
    using progress = context.report.progress(`fetching ${planned.name} ${planned.version}`)
    const fetched: Artifact = await metered(bytes => progress.add(bytes), fetch)
    artifacts.push({ ...planned, sha256: hexOf(fetched.digest), size: fetched.size, path: fetched.path })
  }
  const { name, arch } = request
  const locked = artifacts.map(withoutPath)
  const recorded = await readRecord(
    context.home,
    keyOf({ name, arch, version: plan.version, recipe: recipe.id, artifacts: locked }),
  )
  return recorded ?? (await make(request, recipe, plan.version, artifacts, context))
}

async function make(
  request: RuntimeRequest,
  recipe: Recipe,
  version: string,
  artifacts: readonly FetchedArtifact[],
  context: RuntimeContext,
): Promise<Runtime> {
  const { name, arch } = request
  const words = `${name} ${version}`
  await mkdir(join(context.home, 'trees'), { recursive: true })
  await using directory = await temporaryDirectory(join(context.home, 'trees'), '.unpack-')
  const staging = { directory: directory.path, count: 0 }
  using _unpacking = context.report.progress(`unpacking ${words}`)
  const tree = await recipe.unpack({ version, arch, artifacts, staging, context })
  sizeOf(tree, words)
  const needs = scanNeeds(tree, arch, recipe.optional ?? [], words)
  const digest = treeDigest(tree, recipe.id)
  const path = await materialise(tree, digest, context.home)
  const about = recipe.describe({ version, arch, artifacts })
  const lock: RuntimeLock = {
    name,
    version,
    arch,
    recipe: recipe.id,
    tree: digest,
    artifacts: artifacts.map(withoutPath),
  }
  const self = {
    type: 'application' as const,
    name,
    version,
    purl: about.purl,
    cpes: about.cpes,
    licenses: about.licenses,
  }
  const recorded: Recorded = {
    name,
    version,
    digest,
    purl: about.purl,
    cpes: about.cpes,
    licenses: about.licenses,
    components: [self, ...about.components],
    needs,
    environment: about.environment,
    hints: about.hints ?? {},
    lock,
  }
  await writeRecord(context.home, keyOf(lock), recorded)
  return { ...recorded, path }
}

/** Names what a lock entry asks for, the tree left out: equal keys make equal trees. */
function keyOf(lock: Omit<RuntimeLock, 'tree'>): Digest {
  const artifacts = lock.artifacts.map(({ sha256 }) => sha256)
  return digestOf(printJson([lock.recipe, lock.name, lock.arch, lock.version, artifacts]))
}

function withoutPath({ path: _, ...artifact }: FetchedArtifact): LockedArtifact {
  return artifact
}

function wordsFor({ name, version }: RuntimeRequest): string {
  return version === '' ? name : `${name} ${version}`
}
