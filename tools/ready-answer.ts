import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { type Detect, detectPhase } from '../src/sdk/mod.ts'
import { check, parseToml, temporaryDirectory } from '../src/std/mod.ts'

const names = v.exactOptional(v.array(v.pipe(v.string(), v.regex(/^[\w./*-]+$/))), [])
const schema = v.object({
  metadata: v.object({
    slipway: v.object({
      detect: v.exactOptional(v.object({ by: names, looks: names })),
      build: v.exactOptional(v.object({ 'idle-without-plan': v.boolean() })),
    }),
  }),
})

/** What is known of a buildpack without starting it. */
export interface Ready {
  readonly detect?: ReadyAnswers
  /** Its bin/build does nothing where nothing is asked of it (`[metadata.slipway.build] idle-without-plan`). */
  readonly idleWithoutPlan: boolean
}

/** What a buildpack says of itself in `[metadata.slipway]`, and what it answers by that. */
export async function readyOf(directory: string, detect: Detect): Promise<Ready> {
  const file = join(directory, 'buildpack.toml')
  const { slipway } = check(schema, parseToml(await readFile(file, 'utf8'), file), file).metadata
  return {
    ...(slipway.detect && { detect: await readyAnswers(directory, detect, slipway.detect) }),
    idleWithoutPlan: slipway.build?.['idle-without-plan'] === true,
  }
}

/** What the scripts bin/detect and bin/build begin with, so that they need no Node.js for what is known. */
export function readyScripts({
  detect,
  idleWithoutPlan,
}: Ready): Readonly<Record<'detect' | 'build', string>> {
  return { detect: detect ? readyScript(detect) : '', build: idleWithoutPlan ? IDLE_SCRIPT : '' }
}

/** What bin/detect said, and which variables it asked for. */
interface Asked {
  readonly plan: string | undefined
  readonly output: string
  readonly variables: ReadonlySet<string>
}

/** A plan, if the buildpack takes part, and what is said. */
interface Answer {
  readonly plan?: string
  readonly output: string
}

/** The answers of a buildpack that follow from which files an app has. */
interface ReadyAnswers {
  /** Where one of these is set, the buildpack is asked. */
  readonly variables: readonly string[]
  readonly by: readonly string[]
  /** Where one of these is there, the buildpack is asked. */
  readonly looks: readonly string[]
  readonly without: Answer
  /** The answer where one of `by` is there. */
  readonly with?: Answer
}

/**
 * The answers of bin/detect that need no Node.js, which takes longer to start than to detect. A buildpack that says in
 * `[metadata.slipway.detect]` which files its answer follows from is asked here, when it is bundled: for an app that has none of these files, and for one that
 * has one of `by`, for which what is in them may not matter. They hold only where none of the files of `looks` is there, there are no bindings, and none of the
 * variables is set that the buildpack asked for. Names may have a `*` between slashes, which means what it means to a shell.
 */
async function readyAnswers(
  directory: string,
  detect: Detect,
  { by, looks }: { readonly by: readonly string[]; readonly looks: readonly string[] },
): Promise<ReadyAnswers> {
  if (by.some(name => name.includes('*')) || looks.some(name => /\*[^/]*\*/.test(name)))
    throw new Error(`${directory}: names in by have no *, and names in looks one between slashes`)
  const without = await ask(directory, detect, [])
  const each = await Promise.all(by.map(name => ask(directory, detect, [name])))
  const [withOne] = each
  if (each.some(({ plan, output }) => plan !== withOne?.plan || output !== withOne?.output))
    throw new Error(`${directory}: the answer follows from more than that one of ${by.join(', ')} is there`)
  const variables = [...new Set([without, ...each].flatMap(asked => [...asked.variables]))].sort()
  const told = ({ plan, output }: Asked): Answer => ({ ...(plan !== undefined && { plan }), output })
  return { variables, by, looks, without: told(without), ...(withOne && { with: told(withOne) }) }
}

/** The part of the script bin/build of such a buildpack that spares it Node.js. */
const IDLE_SCRIPT = `if [ -f "\${CNB_BP_PLAN_PATH:-$3}" ] && [ ! -s "\${CNB_BP_PLAN_PATH:-$3}" ]; then
  exit
fi
`

/** The part of the script bin/detect that gives these answers. */
function readyScript({ variables, by, looks, without, with: withOne }: ReadyAnswers): string {
  const conditions = ['SERVICE_BINDING_ROOT', ...variables].map(name => `\${${name}+x}`).join('')
  return `settled() {
  for file; do
    if [ -e "$file" ] || [ -h "$file" ]; then return 1; fi
  done
}
if [ -z "${conditions}" ] && settled "\${CNB_PLATFORM_DIR:-$1}"/bindings/*${looks.map(name => ` ${name}`).join('')}; then
${withOne ? `  if ${by.map(name => `[ -f ${name} ]`).join(' || ')}; then\n${words(withOne)}  fi\n` : ''}${words(without)}fi
`
}

async function ask(buildpack: string, detect: Detect, files: readonly string[]): Promise<Asked> {
  await using directory = await temporaryDirectory(tmpdir())
  const application = join(directory.path, 'app')
  await mkdir(application)
  for (const file of files) {
    await mkdir(dirname(join(application, file)), { recursive: true })
    await writeFile(join(application, file), '')
  }
  const variables = new Set<string>()
  const environment = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get(_, name) {
        // What the target is says nothing: a lifecycle asks only buildpacks that are for it.
        if (!/^CNB_TARGET_|^SERVICE_BINDING_ROOT$/.test(String(name))) variables.add(String(name))
        return undefined
      },
      has(_, name) {
        variables.add(String(name))
        return false
      },
      ownKeys() {
        throw new Error(`${buildpack}: bin/detect looks at all variables, so that no answer can be ready`)
      },
    },
  )
  let output = ''
  const call = {
    ...{ application, buildpack, platform: join(directory.path, 'platform'), environment, machine: 'x64' },
    sink: (text: string) => {
      output += text
    },
  }
  const plan = join(directory.path, 'plan')
  const code = await detectPhase(detect, call, plan)
  return { plan: code === 0 ? await readFile(plan, 'utf8') : undefined, output, variables }
}

function words({ plan, output }: Answer): string {
  const say = output === '' ? '' : `    printf %s ${quoted(output)}\n`
  return plan === undefined
    ? `${say}    exit 100\n`
    : `${say}    printf %s ${quoted(plan)} > "\${CNB_BUILD_PLAN_PATH:-$2}"\n    exit\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
