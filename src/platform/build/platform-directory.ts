import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { byBytes, isSystemError, Problem } from '#std'

/** A service binding as a person gives it: a directory with one file per entry, under a name. */
export interface BindingSource {
  readonly name: string
  readonly directory: string
}

const INVALID_INPUT = 3

/** Service Binding Specification for Kubernetes: names of bindings and of their entries. */
const BINDING_NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/
const ENTRY_NAME = /^[A-Za-z0-9._-]{1,253}$/
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Reads `DIR` or `NAME=DIR`; the name is the directory's own where none is given. Throws a `Problem` (`BINDING_INVALID`). */
export function parseBinding(text: string, workingDirectory: string): BindingSource {
  const split = /^([^=/]+)=(.+)$/.exec(text)
  const directory = resolve(workingDirectory, split?.[2] ?? text)
  const name = split?.[1] ?? basename(directory)
  if (!BINDING_NAME.test(name))
    throw invalidBinding(name, 'a name has lower-case letters, digits, dots and dashes')
  return { name, directory }
}

/** Reads `NAME=VALUE`, or `NAME` to take the value from the environment (as pack does). Throws a `Problem` (`VARIABLE_INVALID`). */
export function parseVariable(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): [name: string, value: string] | undefined {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  if (!VARIABLE_NAME.test(name)) {
    throw new Problem('VARIABLE_INVALID', {
      what: 'Cannot use a variable',
      why: `${JSON.stringify(name)} is not a name of letters, digits and underscores`,
      fix: 'Write --env NAME=VALUE, or --env NAME to pass on a variable that is set.',
      exitCode: INVALID_INPUT,
    })
  }
  if (equals >= 0) return [name, text.slice(equals + 1)]
  const value = environment[name]
  return value === undefined ? undefined : [name, value]
}

/** Reads the lines of an env file: `NAME=VALUE` or `NAME`; empty lines and those that begin with `#` do not count. */
export async function readVariableFile(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<[string, string][]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EISDIR')) throw error
    throw new Problem('VARIABLE_FILE_UNREADABLE', {
      what: 'Cannot read the variables',
      why: `${file} ${error.code === 'ENOENT' ? 'does not exist' : 'cannot be read'}`,
      fix: 'Check the path that is given with --env-file.',
      exitCode: INVALID_INPUT,
      cause: error,
    })
  }
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
  return lines.flatMap(line => {
    const variable = parseVariable(line, environment)
    return variable ? [variable] : []
  })
}

/**
 * Writes the platform directory of a build (CNB buildpack specification, "Provided by the Platform"): `env/NAME` files and
 * `bindings/NAME/ENTRY` files, all only for this user. Contents are copied byte for byte; links in a binding
 * (Kubernetes mounts them so) are followed. Throws a `Problem` (`BINDING_INVALID`).
 */
export async function writePlatformDirectory(
  directory: string,
  variables: Readonly<Record<string, string>>,
  bindings: readonly BindingSource[],
): Promise<void> {
  await mkdir(join(directory, 'env'), { recursive: true })
  await mkdir(join(directory, 'bindings'))
  for (const [name, value] of Object.entries(variables)) await writeFile(join(directory, 'env', name), value)
  for (const binding of bindings) {
    if (bindings.some(other => other.name === binding.name && other !== binding))
      throw invalidBinding(binding.name, 'two bindings have that name')
    await copyBinding(binding, join(directory, 'bindings', binding.name))
  }
}

async function copyBinding({ name, directory }: BindingSource, target: string): Promise<void> {
  await mkdir(target, { mode: 0o700 })
  let entries: string[]
  try {
    entries = (await readdir(directory)).filter(entry => !entry.startsWith('..')).sort(byBytes)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error
    throw invalidBinding(name, `${directory} is not a directory that can be read`, error)
  }
  if (!entries.includes('type')) throw invalidBinding(name, `${directory} has no file named "type"`)
  for (const entry of entries) {
    try {
      if (!(await stat(join(directory, entry))).isFile()) continue
      if (!ENTRY_NAME.test(entry))
        throw invalidBinding(name, `the file name ${JSON.stringify(entry)} is not allowed`)
      await copyFile(join(directory, entry), join(target, entry))
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'EACCES', 'ELOOP')) throw error
      throw invalidBinding(name, `${join(directory, entry)} cannot be read`, error)
    }
  }
}

function invalidBinding(name: string, why: string, cause?: unknown): Problem {
  return new Problem('BINDING_INVALID', {
    what: `Cannot use the binding ${JSON.stringify(name)}`,
    why,
    fix: 'A binding is a directory with a file "type" and one file per entry: --binding NAME=DIR.',
    exitCode: INVALID_INPUT,
    cause,
  })
}
