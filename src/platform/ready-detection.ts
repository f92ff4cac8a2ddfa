import { lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Execution, Executor, Place } from '#lifecycle'
import { check, isInside, isSystemError, parseJson, readIfExists } from '#std'

const answerSchema = v.object({ plan: v.exactOptional(v.string()), output: v.string() })
const schema = v.record(
  v.string(),
  v.object({
    variables: v.array(v.string()),
    by: v.array(v.string()),
    looks: v.array(v.string()),
    without: answerSchema,
    with: v.exactOptional(answerSchema),
  }),
)
type Ready = v.InferOutput<typeof schema>[string]
type Answer = v.InferOutput<typeof answerSchema>

const PASS = 0
const FAIL = 100

/**
 * Answers for those of slipway's own buildpacks whose answer follows from which files an app has (`tools/ready-answer.ts`), by the rules of the script that they start with: nothing is started
 * for it, and nothing of the app is opened. Wherever there is more to look at, or a link that could lead somewhere, the buildpack is asked. `buildpacks` is the directory that slipway ships.
 */
export function readyDetection(executor: Executor, buildpacks: string): Executor {
  const file = join(buildpacks, 'ready.json')
  let known: Promise<Readonly<Record<string, Ready>>> | undefined
  const read = async () => check(schema, parseJson((await readIfExists(file)) ?? '{}', file), file)
  return {
    async run(execution) {
      const { phase, buildpack } = execution
      if (phase !== 'detect' || !isInside(buildpacks, buildpack.root.host))
        return await executor.run(execution)
      known ??= read()
      const ready = (await known)[buildpack.descriptor.id]
      const answer = ready && readyAnswer(ready, execution)
      if (!answer) return await executor.run(execution)
      if (answer.output !== '') execution.output(Buffer.from(answer.output))
      if (answer.plan === undefined) return { exitCode: FAIL }
      writeFileSync(onHost(execution.writable, execution.command[2]), answer.plan)
      return { exitCode: PASS }
    },
  }
}

function readyAnswer(ready: Ready, { env, cwd, command, readable }: Execution): Answer | undefined {
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
