import type { Artifact } from '#sources'
import type { RuntimeContext } from './context.ts'
import type { LockedArtifact, RuntimeComponent, RuntimeRequest } from './runtime.ts'
import type { Tree } from './tree.ts'
import type { Staging } from './unpack.ts'

/** A file that a plan wants, not yet fetched. */
export type PlannedArtifact = Omit<LockedArtifact, 'sha256' | 'size'> & { fetch(): Promise<Artifact> }

/** The version that was chosen for a request, and the files that it is made of. */
export interface Plan {
  readonly version: string
  readonly artifacts: readonly PlannedArtifact[]
}

/** A fetched file and where it lies. */
export type FetchedArtifact = LockedArtifact & { readonly path: string }

/** What a recipe has at hand while it makes a tree. */
export interface Making {
  readonly version: string
  readonly arch: 'amd64' | 'arm64'
  readonly artifacts: readonly FetchedArtifact[]
  readonly staging: Staging
  readonly context: RuntimeContext
}

/** What is to be said of a finished tree. */
export interface Description {
  readonly purl: string
  readonly cpes: readonly string[]
  readonly licenses: readonly string[]
  /** Packages inside, besides the runtime itself. */
  readonly components: readonly RuntimeComponent[]
  readonly environment: Readonly<Record<string, string>>
  readonly hints?: Readonly<Record<string, string>>
}

/**
 * How one kind of runtime is chosen, unpacked and described. `id` names the recipe and its revision and is part of every
 * tree's digest: whoever changes what a recipe makes changes its number.
 */
export interface Recipe {
  readonly id: string
  plan(request: RuntimeRequest, context: RuntimeContext): Promise<Plan>
  unpack(making: Making): Promise<Tree>
  describe(making: Pick<Making, 'version' | 'arch' | 'artifacts'>): Description
  /** ELF files that may miss their shared objects, as globs: they serve features that a server has no use for. */
  readonly optional?: readonly string[]
}

/** The one file of a recipe that has just one. */
export function onlyArtifact(artifacts: readonly FetchedArtifact[]): FetchedArtifact {
  const [first] = artifacts
  if (first === undefined) throw new Error('a runtime without files')
  return first
}
