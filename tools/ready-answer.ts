import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { type Detect, detectPhase } from '../src/sdk/mod.ts'
import { check, parseToml, temporaryDirectory } from '../src/std/mod.ts'

const names = v.exactOptional(v.array(v.pipe(v.string(), v.regex(/^[\w./*-]+$/))), [])
const schema = v.object({
  metadata: v.object({
    slipway: v.object({ detect: v.exactOptional(v.object({ by: names, looks: names })) }),
  }),
})

/** What bin/detect said, and which variables it asked for. */
interface Answer {
  readonly plan: string | undefined
  readonly output: string
  readonly variables: ReadonlySet<string>
}

/**
 * The part of bin/detect that answers without Node.js, which takes longer to start than to detect. A buildpack that says in
 * `[metadata.slipway.detect]` which files its answer follows from is asked here, when it is bundled, and its answers are written into the script: the one
 * for an app that has none of these files, and the one for an app that has one of `by`, for which what is in them may not matter. The script gives them
 * only where none of the files of `looks` is there, there are no bindings, and none of the variables is set that the buildpack asked for. Empty for
 * buildpacks that say nothing of the kind. Names may have `*` in them, which means what it means to a shell.
 */
export async function readyAnswer(directory: string, detect: Detect): Promise<string> {
  const file = join(directory, 'buildpack.toml')
  const { by, looks } =
    check(schema, parseToml(await readFile(file, 'utf8'), file), file).metadata.slipway.detect ?? {}
  if (by === undefined || looks === undefined) return ''
  const without = await ask(directory, detect, [])
  const each = await Promise.all(by.map(name => ask(directory, detect, [name])))
  const [withOne] = each
  if (each.some(({ plan, output }) => plan !== withOne?.plan || output !== withOne?.output))
    throw new Error(`${file}: the answer follows from more than that one of ${by.join(', ')} is there`)
  const variables = new Set([without, ...each].flatMap(answer => [...answer.variables]))
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

async function ask(buildpack: string, detect: Detect, files: readonly string[]): Promise<Answer> {
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
