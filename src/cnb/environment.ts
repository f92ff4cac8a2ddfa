import { byBytes } from '#std'

/** Variables of a process, in memory. Every change gives a new value. */
export type Environment = ReadonlyMap<string, string>

/** A file of an `env/` directory: `PATH.prepend`, with its content to the byte. */
export interface EnvironmentFile {
  readonly name: string
  readonly content: string
}

/** The variables that a build takes over from the lifecycle's own environment; nothing else reaches a buildpack. */
export const INHERITED = [
  'CNB_STACK_ID',
  'HOSTNAME',
  'HOME',
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
  'PATH',
  'LD_LIBRARY_PATH',
  'LIBRARY_PATH',
  'CPATH',
  'PKG_CONFIG_PATH',
] as const

/** Directories of a layer and the path variables that they go to (CNB buildpack specification, "Layer Paths"). */
export const ROOT_DIRECTORIES = {
  build: {
    bin: ['PATH'],
    lib: ['LD_LIBRARY_PATH', 'LIBRARY_PATH'],
    include: ['CPATH'],
    pkgconfig: ['PKG_CONFIG_PATH'],
  },
  launch: { bin: ['PATH'], lib: ['LD_LIBRARY_PATH'] },
} as const satisfies Record<string, Record<string, readonly string[]>>

/** The variables that hold lists of directories: what a user sets is put before what is there. */
const PATHS: readonly string[] = ['PATH', 'LD_LIBRARY_PATH', 'LIBRARY_PATH', 'CPATH', 'PKG_CONFIG_PATH']

/** Takes over what a build may inherit. */
export function inheritedEnvironment(source: Readonly<Record<string, string | undefined>>): Environment {
  const names = INHERITED.filter(name => source[name] !== undefined)
  return new Map(names.map(name => [name, source[name] ?? '']))
}

/**
 * Applies the files of one `env/` directory in the byte order of their names. `NAME.append`, `.prepend`, `.default`, `.override` do
 * what they say; `NAME.delim` in the same directory stands between old and new. A plain `NAME` does what `unsuffixed` says: override for
 * layers, default for an operator's directory. Other suffixes are ignored.
 */
export function applyEnvironmentFiles(
  environment: Environment,
  files: readonly EnvironmentFile[],
  unsuffixed: 'override' | 'default' = 'override',
): Environment {
  const changed = new Map(environment)
  const delimiters = new Map(files.map(({ name, content }) => [name, content]))
  for (const { name: file, content } of files.toSorted((a, b) => byBytes(a.name, b.name))) {
    const dot = file.indexOf('.')
    const name = dot < 0 ? file : file.slice(0, dot)
    if (name === '' || name.includes('=') || content.includes('\0')) continue
    const delimiter = delimiters.get(`${name}.delim`) ?? ''
    const action = dot < 0 ? unsuffixed : file.slice(dot + 1)
    const value = applied(action, changed.get(name), content, delimiter)
    if (value !== undefined) changed.set(name, value)
  }
  return changed
}

/** Puts a layer's directories that exist (`present`: bin, lib, …) before the path variables of a build or a launch. */
export function prependRootDirectories(
  environment: Environment,
  layer: string,
  present: readonly string[],
  phase: 'build' | 'launch',
): Environment {
  const changed = new Map(environment)
  for (const [directory, variables] of Object.entries<readonly string[]>(ROOT_DIRECTORIES[phase])) {
    if (!present.includes(directory)) continue
    for (const variable of variables) {
      changed.set(variable, prepended(`${layer}/${directory}`, changed.get(variable), ':'))
    }
  }
  return changed
}

/** Applies the user's variables (`<platform>/env`): path variables are put before what is there, all others replace it. */
export function applyUserVariables(environment: Environment, files: readonly EnvironmentFile[]): Environment {
  const changed = new Map(environment)
  for (const { name, content } of files) {
    if (name.includes('=') || content.includes('\0')) continue
    changed.set(name, PATHS.includes(name) ? prepended(content, changed.get(name), ':') : content)
  }
  return changed
}

/** The environment as processes are handed it, sorted by name. */
export function environmentRecord(environment: Environment): Record<string, string> {
  return Object.fromEntries([...environment].toSorted(([a], [b]) => byBytes(a, b)))
}

function applied(
  action: string,
  old: string | undefined,
  value: string,
  delimiter: string,
): string | undefined {
  switch (action) {
    case 'override':
      return value
    case 'default':
      return old ? undefined : value
    case 'append':
      return old ? `${old}${delimiter}${value}` : value
    case 'prepend':
      return prepended(value, old, delimiter)
    default:
      return undefined
  }
}

function prepended(value: string, old: string | undefined, delimiter: string): string {
  return old ? `${value}${delimiter}${old}` : value
}
