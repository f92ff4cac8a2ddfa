import type { Report } from '#std'

/** One option of a command, as `--name`; `short` is its letter, `value` the placeholder of what follows it. */
export interface OptionDeclaration {
  readonly help: string
  readonly short?: string
  /** Placeholder of the value in help (`REF`, `DIR`); without one the option is a switch. */
  readonly value?: string
  /** The option may be repeated; its value is then a list. */
  readonly multiple?: boolean
}

/** One positional argument: required unless `optional`; the last one may take the `rest`. */
export interface ArgumentDeclaration {
  readonly help: string
  readonly optional?: boolean
  readonly rest?: boolean
}

type Options = Readonly<Record<string, OptionDeclaration>>
type Arguments = Readonly<Record<string, ArgumentDeclaration>>

/** What `run` receives, inferred from the declarations: switches are booleans, repeated options lists. */
export type Input<A extends Arguments, O extends Options> = {
  readonly [Name in keyof A]: A[Name] extends { rest: true }
    ? string[]
    : A[Name] extends { optional: true }
      ? string | undefined
      : string
} & {
  readonly [Name in keyof O]: O[Name] extends { value: string; multiple: true }
    ? string[]
    : O[Name] extends { value: string }
      ? string | undefined
      : boolean
}

/** Where a command's words go: results to stdout, everything else through the report to stderr. */
export interface Surroundings {
  readonly report: Report
  /** Where slipway keeps its state. */
  readonly home: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly signal: AbortSignal
  /** True if a person sits at stdin and stdout. */
  readonly interactive: boolean
  /** Writes a result to stdout, with a line end. */
  print(text: string): void
}

/** A command: help, parsing and completion are made from this declaration. */
export interface Command<A extends Arguments = Arguments, O extends Options = Options> {
  readonly summary: string
  readonly arguments: A
  readonly options: O
  readonly examples: readonly string[]
  /** Returns the exit code. */
  run(input: Input<A, O>, surroundings: Surroundings): Promise<number>
}

/** Declares a command; exists to infer the types of `run`'s input. */
export function command<const A extends Arguments, const O extends Options>(
  declaration: Command<A, O>,
): Command<A, O> {
  return declaration
}
