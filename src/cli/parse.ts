import { CommanderError, Option, Command as Program } from 'commander'
import type { Command } from './command.ts'

/** A command's name (`base lock` for a sub-command) and how to load it; loading is lazy so that start-up stays short. */
export type CommandTable = Readonly<Record<string, { summary: string; load: () => Promise<Command> }>>

/** Options that every command takes. */
export interface GlobalOptions {
  readonly quiet: boolean
  readonly verbose: boolean
  readonly noColor: boolean
}

/** What the words on the command line ask for; or an exit code, where help was printed or the words were wrong. */
export type Parsed =
  | { readonly command: Command; readonly input: never; readonly global: GlobalOptions }
  | { readonly exitCode: number }

/** Exit code of an unknown flag or command (CNB contract: bad flag). */
const BAD_USAGE = 2

/** Parses a command line. Help goes to stdout with code 0; mistakes go to stderr with code 2. */
export async function parseArguments(argv: string[], table: CommandTable): Promise<Parsed> {
  const program = new Program('slipway')
  program
    .description('From source to a secure, rebasable OCI image: no Dockerfile, no daemon, no root.')
    .enablePositionalOptions()
    .showHelpAfterError('(slipway --help shows what there is)')
    .helpCommand(true)
    .exitOverride()
  let found: Parsed | undefined

  for (const [name, { summary }] of Object.entries(table)) {
    const [first, second] = name.split(' ') as [string, string?]
    const wanted = argv[0] === first && (second === undefined || argv[1] === second)
    const parent = second === undefined ? program : groupOf(program, first)
    const sub = parent.command(second ?? first).description(summary)
    if (wanted || argv[0] === 'help')
      await declare(sub, await table[name]!.load(), parsed => (found = parsed))
  }

  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { exitCode: error.exitCode === 0 ? 0 : BAD_USAGE }
  }
  return found ?? { exitCode: 0 }
}

function groupOf(program: Program, name: string): Program {
  return (
    program.commands.find(each => each.name() === name) ??
    program.command(name).description(`${name} commands`)
  )
}

async function declare(program: Program, command: Command, found: (parsed: Parsed) => void): Promise<void> {
  program.exitOverride().showHelpAfterError(`(slipway ${program.name()} --help shows what there is)`)
  const names = Object.entries(command.arguments)
  for (const [name, { help, optional, rest }] of names) {
    const text = `${name}${rest ? '...' : ''}`
    program.argument(optional || rest ? `[${text}]` : `<${text}>`, help)
  }
  for (const [name, { help, short, value, multiple }] of Object.entries(command.options)) {
    const option = new Option(`${short ? `-${short}, ` : ''}--${name}${value ? ` <${value}>` : ''}`, help)
    if (multiple) option.argParser((next: string, list: string[] | undefined) => [...(list ?? []), next])
    program.addOption(option)
  }
  program
    .option('--quiet', 'say only warnings, errors and the result')
    .option('--verbose', 'say more')
    .option('--no-color', 'no colours (also: NO_COLOR)')
  if (command.examples.length > 0) {
    program.addHelpText(
      'after',
      `\nExamples:\n${command.examples.map(example => `  $ slipway ${example}`).join('\n')}`,
    )
  }

  program.action((...words: unknown[]) => {
    const given = program.opts<Record<string, unknown>>()
    const input: Record<string, unknown> = Object.fromEntries(
      names.map(([name], index) => [name, words[index]]),
    )
    for (const [name, { value, multiple }] of Object.entries(command.options)) {
      const key = name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
      input[name] = multiple ? (given[key] ?? []) : value ? given[key] : given[key] === true
    }
    const global = {
      quiet: given.quiet === true,
      verbose: given.verbose === true,
      noColor: given.color === false,
    }
    found({ command, input: input as never, global })
  })
}
