import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunSpec } from '../../src/sandbox/mod.ts'
import type { Said, SandboxGround } from './sandbox.ts'

/** Who runs hostile code in a build: an app's or a buildpack's program while detecting or building, and a script of a package that a build installs. */
export const ACTORS = ['detect', 'build', 'package script'] as const
export type Actor = (typeof ACTORS)[number]

const PRELUDE = readFileSync(join(import.meta.dirname, 'attack.py'), 'utf8')

/** Runs Python code in the sandbox as one of them. */
export async function act(
  ground: SandboxGround,
  actor: Actor,
  code: string,
  change: Partial<RunSpec> = {},
): Promise<Said> {
  const program = `${PRELUDE}\n${code}`
  if (actor === 'build') return ground.run(['python3', '-c', program], change)
  if (actor === 'detect') {
    const readOnly = ['workspace', 'layers'].map(
      name => ({ mode: 'ro', host: join(ground.place, name), inside: `/${name}` }) as const,
    )
    return ground.run(['python3', '-c', program], {
      ...change,
      mounts: [...readOnly, ...(change.mounts ?? [])],
    })
  }
  const script = join(ground.place, 'workspace/node_modules/evil')
  mkdirSync(script, { recursive: true })
  writeFileSync(join(script, 'postinstall.py'), program)
  return ground.run(['sh', '-c', 'cd node_modules/evil && sh -c "python3 postinstall.py" & wait $!'], change)
}

/** `{ label: outcome }` of the lines `label: outcome` that attempts print. */
export function attempts(output: string): Record<string, string> {
  return Object.fromEntries([...output.matchAll(/^([\w /-]+): (\w+)$/gm)].map(match => [match[1], match[2]]))
}
