import { needsShell, splitWords } from '#sdk'

/** How a script of package.json is started in an image that has no npm. */
export interface Start {
  readonly command: readonly string[]
  /** Variables that stood before the command. */
  readonly variables: Readonly<Record<string, string>>
}

const ASSIGNMENT = /^\s*([A-Za-z_]\w*)=((?:[^\s'"\\$`|&;<>()*?[\]{}!#~]|'[^']*'|"[^"$`\\]*")*)\s+(?=\S)/

/**
 * How the script `start` is run: directly where it is `node FILE …`, with variables before it or not; else by a shell, with what npm would run before
 * and after it. `npm run OTHER` stands for that other script. `undefined` where there is no such script.
 */
export function startOf(scripts: Readonly<Record<string, string>>, name = 'start'): Start | undefined {
  const own = textOf(scripts, name)
  if (own === undefined) return undefined
  const [before, after] = [`pre${name}`, `post${name}`].map(other => textOf(scripts, other))
  if (before === undefined && after === undefined) {
    const direct = directly(own)
    if (direct) return direct
  }
  const parts = [before, own, after].filter(part => part !== undefined)
  return {
    command: ['bash', '-c', parts.length === 1 ? own : parts.map(part => `{ ${part}\n}`).join(' && ')],
    variables: {},
  }
}

/** The text of a script, with scripts that it only passes on to put in its place. */
function textOf(scripts: Readonly<Record<string, string>>, name: string, depth = 0): string | undefined {
  const text = Object.hasOwn(scripts, name) ? scripts[name]?.trim() : undefined
  const other = /^npm (?:run|run-script) ([\w:.-]+)$/.exec(text ?? '')?.[1]
  const passes =
    other !== undefined && !Object.hasOwn(scripts, `pre${other}`) && !Object.hasOwn(scripts, `post${other}`)
  return passes && depth < 5 ? (textOf(scripts, other, depth + 1) ?? text) : text || undefined
}

function directly(script: string): Start | undefined {
  const variables: Record<string, string> = {}
  let rest = script
  for (let match = ASSIGNMENT.exec(rest); match; match = ASSIGNMENT.exec(rest)) {
    const [whole, name = '', value = ''] = match
    variables[name] = value.replace(/'([^']*)'|"([^"]*)"/g, '$1$2')
    rest = rest.slice(whole.length)
  }
  if (!/^node\s+\S/.test(rest) || needsShell(rest)) return undefined
  return { command: splitWords(rest, 'the script start of package.json'), variables }
}
