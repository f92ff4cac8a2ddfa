import { lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Execution, Executor, FoundBuildpack, Place } from '#lifecycle'
import { check, isInside, isSystemError, parseJson, readIfExists } from '#std'

const answerSchema = v.object({ plan: v.exactOptional(v.string()), output: v.string() })
const detectSchema = v.object({
  variables: v.array(v.string()),
  by: v.array(v.string()),
  looks: v.array(v.string()),
  without: answerSchema,
  with: v.exactOptional(answerSchema),
})
const schema = v.record(
  v.string(),
  v.object({ detect: v.exactOptional(detectSchema), idleWithoutPlan: v.boolean() }),
)
type ReadyDetect = v.InferOutput<typeof detectSchema>
type Answer = v.InferOutput<typeof answerSchema>

const PASS = 0
const FAIL = 100

/**
 * Answers for slipway's own buildpacks what is known without starting them, by the rules of the scripts that they start with (`tools/ready-answer.ts`): detections that follow from which
 * files an app has, and builds that do nothing because nothing is asked of them. Nothing of the app is opened. Wherever there is more to look at, or a link that could lead somewhere, the
 * buildpack is asked. `buildpacks` is the directory that slipway ships.
 */
export function readyExecutor(executor: Executor, buildpacks: string): Executor {
  const file = join(buildpacks, 'ready.json')
  let known: Promise<v.InferOutput<typeof schema>> | undefined
  const read = async () => check(schema, parseJson((await readIfExists(file)) ?? '{}', file), file)
  const of = async ({ descriptor }: FoundBuildpack) => {
    known ??= read()
    return (await known)[descriptor.id]
  }
  const idle = async ({ phase, buildpack, command, writable }: Execution) =>
    phase === 'build' &&
    (await of(buildpack))?.idleWithoutPlan === true &&
    statSync(onHost(writable, command[3])).size === 0
  const prepare = executor.prepare?.bind(executor)
  return {
    ...(prepare && {
      prepare: async (execution: Execution) =>
        isInside(buildpacks, execution.buildpack.root.host) && (await idle(execution))
          ? false
          : await prepare(execution),
    }),
    async run(execution) {
      const { phase, buildpack, command, writable } = execution
      if (!isInside(buildpacks, buildpack.root.host)) return await executor.run(execution)
      if (await idle(execution)) return { exitCode: PASS }
      const { detect } = (await of(buildpack)) ?? {}
      const answer = phase === 'detect' && detect ? readyAnswer(detect, execution) : undefined
      if (!answer) return await executor.run(execution)
      if (answer.output !== '') execution.output(Buffer.from(answer.output))
      if (answer.plan === undefined) return { exitCode: FAIL }
      writeFileSync(onHost(writable, command[2]), answer.plan)
      return { exitCode: PASS }
    },
  }
}

function readyAnswer(ready: ReadyDetect, { env, cwd, command, readable }: Execution): Answer | undefined {
  const app = onHost(readable, cwd)
  const platform = onHost(readable, command[1])
  if (['SERVICE_BINDING_ROOT', ...ready.variables].some(name => env[name] !== undefined)) return undefined
  if (mayBe(platform, ['bindings', '*'])) return undefined
  if (ready.looks.some(pattern => mayBe(app, pattern.split('/')))) return undefined
  for (const name of ready.by) {
    const kind = kindOf(join(app, name))
    if (kind === 'unsure') return undefined
    if (kind === 'file') return ready.with
  }
  return ready.without
}

/** True if a pattern, in which `*` means what it means to a shell, matches a path below a directory, or may do so by way of a link. */
function mayBe(directory: string, [first = '', ...rest]: readonly string[]): boolean {
  const names = first.includes('*') ? namesLike(first, directory) : [first]
  if (names === undefined) return true
  return names.some(name => {
    const kind = kindOf(join(directory, name))
    if (kind === undefined) return false
    return (
      rest.length === 0 || kind === 'unsure' || (kind === 'directory' && mayBe(join(directory, name), rest))
    )
  })
}

function namesLike(pattern: string, directory: string): string[] | undefined {
  const [before = '', after = ''] = pattern.split('*')
  try {
    return readdirSync(directory, 'latin1').filter(
      name =>
        !name.startsWith('.') &&
        name.length >= before.length + after.length &&
        name.startsWith(before) &&
        name.endsWith(after),
    )
  } catch (error) {
    return isSystemError(error, 'ENOENT', 'ENOTDIR') ? [] : undefined
  }
}

/** What is there; of a link, and of what may not be looked at, nobody can be sure here. */
function kindOf(path: string): 'file' | 'directory' | 'other' | 'unsure' | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return undefined
    if (stats.isFile()) return 'file'
    if (stats.isDirectory()) return 'directory'
    return stats.isSymbolicLink() ? 'unsure' : 'other'
  } catch {
    return 'unsure'
  }
}

/** Where a path of the sandbox is on this machine. */
function onHost(places: readonly Place[], inside = ''): string {
  const place = places.find(each => isInside(each.inside, inside))
  if (!place) throw new Error(`${inside} is nowhere on this machine`)
  return join(place.host, inside.slice(place.inside.length))
}
