import type { Component } from '#bom'
import type { Bindings } from './bindings.ts'
import type { Configuration } from './configuration.ts'
import type { Dependency, DependencyRequest } from './dependency.ts'
import type { BuildpackDescriptor } from './descriptor.ts'
import type { Detection, Requirement } from './detection.ts'
import type { Launch } from './launch.ts'
import type { Layers } from './layer.ts'
import type { Log } from './log.ts'
import type { Target } from './target.ts'

/** What a buildpack knows while it detects. */
export interface DetectContext {
  /** The directory of the app. */
  readonly application: string
  readonly buildpack: BuildpackDescriptor
  /** The platform directory. */
  readonly platform: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What the user set, with the defaults of buildpack.toml. */
  readonly configuration: Configuration
  readonly bindings: Bindings
  readonly target: Target
  readonly log: Log
}

/** What a buildpack has at hand while it builds. */
export interface BuildContext extends DetectContext {
  /** What other buildpacks (and this one) require of it, in the order of the plan. */
  readonly plan: readonly Requirement[]
  /** All that is required under a name as one table, later ones winning; `undefined` if nobody requires it. */
  required(name: string): Readonly<Record<string, unknown>> | undefined
  readonly layers: Layers
  readonly launch: Launch
  /** Leaves a requirement to the next buildpack that provides it. */
  unmet(name: string): void
  /** What this buildpack remembers from build to build, apart from layers. */
  readonly store: Map<string, unknown>
  /** Adds to the bill of materials of the image that belongs to no layer (the app's own libraries, for one). */
  components(components: readonly Component[]): void
  /** Gets a verified tree of files; it throws a `Problem` for what cannot be had. */
  dependency(request: DependencyRequest): Promise<Dependency>
  /**
   * Runs a program; its output passes through. The app directory and the buildpack's environment, unless `options` says otherwise;
   * variables are added to the environment, or left out of it where they are `undefined`. Throws a `Problem` (`PROGRAM_MISSING`, `PROGRAM_FAILED`).
   */
  run(command: string, parameters: readonly string[], options?: RunOptions): Promise<void>
  /** Runs a program and returns what it prints to standard output, without blanks at its ends; everything else as `run`. */
  output(command: string, parameters: readonly string[], options?: RunOptions): Promise<string>
}

/** How a program is run. */
export interface RunOptions {
  readonly directory?: string
  readonly variables?: Readonly<Record<string, string | undefined>>
}

export type Detect = (context: DetectContext) => Detection | Promise<Detection>
export type Build = (context: BuildContext) => void | Promise<void>

/** A buildpack: two functions. */
export interface Buildpack {
  readonly detect: Detect
  readonly build: Build
}
