import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { type Finished, type RunOptions, type Story, story } from './cli.ts'

/** A buildpack of a story: two shell scripts. */
export interface Scripts {
  readonly id?: string
  readonly version?: string
  readonly api?: string
  /** Default: it takes part. */
  readonly detect?: string
  /** Default: one process `web` that prints the file `greeting` of the app. */
  readonly build?: string
  /** More lines for buildpack.toml. */
  readonly toml?: string
}

/** A process that needs no launcher. */
export const PLAIN = `cat >"$CNB_LAYERS_DIR/launch.toml" <<'END'
[[processes]]
type = "web"
command = ["cat"]
args = ["greeting"]
default = true
END
`

/** Writes a buildpack into a directory of the story; gives the words that choose it. */
export function buildpack(place: Story, name: string, scripts: Scripts = {}): string[] {
  const { id = `story/${name}`, version = '1.0.0', api = '0.12' } = scripts
  const { detect = 'exit 0', build = PLAIN, toml = '' } = scripts
  files(place, name, {
    'buildpack.toml': `api = "${api}"\n[buildpack]\nid = "${id}"\nversion = "${version}"\n[[targets]]\nos = "linux"\n${toml}`,
    'bin/detect': `#!/bin/bash\nset -eu\n${detect}\n`,
    'bin/build': `#!/bin/bash\nset -eu\n${build}\n`,
  })
  for (const program of ['detect', 'build']) chmodSync(join(place.directory, name, 'bin', program), 0o755)
  return ['--buildpack', join(place.directory, name)]
}

/** Writes files into a directory of the story that belongs to its user; gives the directory. */
export function files(place: Story, directory: string, contents: Readonly<Record<string, string>>): string {
  const path = join(place.directory, directory)
  mkdirSync(path, { recursive: true })
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  place.own(directory)
  return path
}

/** The smallest app. */
export function greeting(place: Story, directory = 'app'): string {
  return files(place, directory, { greeting: 'Ahoy\n' })
}

const names: string[] = []

/** A name that no other story has. It is taken away at the end, with all that only it needed. */
export function imageName(): string {
  const name = `stories/${randomUUID()}`
  names.push(name)
  return name
}

after(async () => {
  if (names.length === 0) return
  using place = story()
  const tags = names.flatMap(name => [name, `${name}:2`, `${name}:copy`])
  for (const words of [['rm', '--force', ...tags], ['gc']]) {
    const { code, stderr } = await place.slipway(words)
    assert.equal(code, 0, stderr)
  }
})

/** Builds, which has to succeed; gives the digest and everything that was said. */
export async function built(
  place: Story,
  words: readonly string[],
  options?: RunOptions,
): Promise<{ digest: string; said: string }> {
  const { code, stdout, stderr } = await place.slipway(['build', ...words], options)
  assert.equal(code, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/)
  return { digest: stdout.trim(), said: stderr }
}

/** Builds, which has to fail in words: with this exit code, and a message that has what, why and what to do. */
export async function refused(
  place: Story,
  exitCode: number,
  words: readonly string[],
  options?: RunOptions,
): Promise<string> {
  return inWords(await place.slipway(words, options), exitCode)
}

/** Checks that a failure is told as a person needs it, and gives what was said. */
export function inWords({ code, stdout, stderr }: Finished, exitCode: number): string {
  assert.equal(code, exitCode, `${stdout}\n${stderr}`)
  assert.equal(stdout, '')
  assert.match(stderr, /^ERROR: .+\n {2}Why: .+\n(?:.*\n)*? {2}What to do: .+/m)
  assert.doesNotMatch(stderr, /mistake in slipway|^ {4}at /m)
  assert.doesNotMatch(stderr, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/, 'nothing that a terminal would obey')
  return stderr
}
