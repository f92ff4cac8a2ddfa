import { homedir } from 'node:os'
import { styleText } from 'node:util'
import { examine, examineRegistry, type Finding, openMachineArchive, openMachineRegistries } from '#platform'
import { printable, printJson } from '#std'
import { command } from '../command.ts'

const WORDS = { good: 'ok', weak: 'note', missing: 'MISSING' } as const
const STYLES = { good: 'green', weak: 'yellow', missing: 'red' } as const

/** `slipway doctor`. */
export const doctor = command({
  summary: 'Say what this machine lacks for slipway, and what to do',
  arguments: {},
  options: { json: { help: 'print one JSON document' } },
  examples: ['doctor', 'doctor --json'],
  async run({ json }, { home, environment, report, signal, interactive, print }) {
    const job = { home, userHome: homedir(), environment, report, signal, now: Date.now }
    await using sources = openMachineArchive(job)
    const findings = await told(examine({ ...job, sources }), finding => {
      if (!json) print(textOf(finding, interactive && !environment.NO_COLOR))
    })
    const ready = findings.every(({ state }) => state !== 'missing')
    if (json) print(printJson({ ready, findings }).trimEnd())
    else print(ready ? 'This machine can build and run.' : 'This machine cannot build or run yet.')
    return ready ? 0 : 1
  },
})

/** `slipway doctor registry`. */
export const registry = command({
  summary: 'Say what is in the way to a registry, and what to do',
  arguments: {
    place: { help: 'HOST[:PORT], or HOST[:PORT]/REPOSITORY[:TAG] to try reading and writing there' },
  },
  options: {
    'insecure-registry': {
      help: 'a host that may be spoken to without TLS, or with a certificate that nobody vouches for',
      value: 'HOST',
      multiple: true,
    },
    json: { help: 'print one JSON document' },
  },
  examples: ['doctor registry ghcr.io', 'doctor registry ghcr.io/team/shop'],
  async run({ place, json, 'insecure-registry': insecure }, surroundings) {
    const { environment, interactive, print } = surroundings
    await using registries = openMachineRegistries({ ...surroundings, insecure })
    const findings = await told(examineRegistry({ place, registries, environment }), finding => {
      if (!json) print(textOf(finding, interactive && !environment.NO_COLOR))
    })
    const ready = findings.every(({ state }) => state === 'good')
    if (json) print(printJson({ ready, findings }).trimEnd())
    return ready ? 0 : 1
  },
})

/** Tells each finding as it comes, and gives all of them. */
async function told(coming: AsyncIterable<Finding>, tell: (finding: Finding) => void): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const finding of coming) {
    findings.push(finding)
    tell(finding)
  }
  return findings
}

function textOf({ name, state, found, fix }: Finding, colour: boolean): string {
  const word = WORDS[state].padEnd(8)
  const first = `${colour ? styleText(STYLES[state], word) : word}${name}: ${printable(found)}`
  return fix === undefined ? first : `${first}\n${' '.repeat(8)}What to do: ${printable(fix)}`
}
