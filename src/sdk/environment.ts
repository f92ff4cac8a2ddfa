import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes } from '#std'

/** Variables that a layer sets, in one of its environment directories (buildpack specification, "Environment Variable Modification Rules"). */
export interface EnvironmentWriter {
  /** Replaces whatever is there. */
  override(name: string, value: string): void
  /** Holds where nothing is set. */
  default(name: string, value: string): void
  append(name: string, value: string, delimiter?: string): void
  prepend(name: string, value: string, delimiter?: string): void
}

/** Everything that a layer sets: for build and launch, for later buildpacks only, for the image only, for one process. */
export interface LayerEnvironment {
  readonly shared: EnvironmentWriter
  readonly build: EnvironmentWriter
  readonly launch: EnvironmentWriter
  process(type: string): EnvironmentWriter
}

/** Collects what is set; `write` makes the files, in byte order of their names. */
export class EnvironmentFiles implements LayerEnvironment {
  readonly #files = new Map<string, string>()
  readonly shared = this.#writer('env')
  readonly build = this.#writer('env.build')
  readonly launch = this.#writer('env.launch')

  process(type: string): EnvironmentWriter {
    return this.#writer(`env.launch/${type}`)
  }

  #writer(directory: string): EnvironmentWriter {
    const set = (name: string, action: string, value: string) => {
      this.#files.set(`${directory}/${name}.${action}`, value)
    }
    const list = (action: string) => (name: string, value: string, delimiter?: string) => {
      set(name, action, value)
      if (delimiter !== undefined) set(name, 'delim', delimiter)
    }
    return {
      override: (name, value) => set(name, 'override', value),
      default: (name, value) => set(name, 'default', value),
      append: list('append'),
      prepend: list('prepend'),
    }
  }

  /** Names of the files, sorted. */
  get names(): string[] {
    return [...this.#files.keys()].sort(byBytes)
  }

  async write(directory: string, said: (name: string) => void): Promise<void> {
    for (const name of this.names) {
      const file = join(directory, name)
      await mkdir(join(file, '..'), { recursive: true })
      await writeFile(file, this.#files.get(name) ?? '')
      if (!name.endsWith('.delim')) said(name)
    }
  }
}
