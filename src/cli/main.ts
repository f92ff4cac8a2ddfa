import { setMaxListeners } from 'node:events'
import { commands } from './commands.ts'
import { exitCodeOf, failureText } from './failure.ts'
import { homeOf } from './home.ts'
import { parseArguments } from './parse.ts'
import { terminalReport } from './terminal.ts'

async function main(argv: string[]): Promise<number> {
  const { env } = process
  const parsed = await parseArguments(argv, commands)
  if ('exitCode' in parsed) return parsed.exitCode

  const terminal = process.stderr.isTTY === true && env.TERM !== 'dumb'
  const colour = terminal && !env.NO_COLOR && !parsed.global.noColor
  const level = parsed.global.quiet ? 'quiet' : parsed.global.verbose ? 'verbose' : 'normal'
  using report = terminalReport({ stream: process.stderr, colour, live: terminal && !env.CI, level })
  const ending = new AbortController()
  // Every request and every program of a build listens; that is no leak.
  setMaxListeners(0, ending.signal)
  let stopped: NodeJS.Signals | undefined
  const interrupt = (name: NodeJS.Signals) => {
    stopped ??= name
    ending.abort(new Error(`stopped by ${name}`))
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)

  try {
    const exitCode = await parsed.command.run(parsed.input, {
      report,
      home: homeOf(env),
      environment: env,
      workingDirectory: process.cwd(),
      signal: ending.signal,
      interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
      print: text => process.stdout.write(`${text}\n`),
    })
    report.detail(`At most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB of memory`)
    return exitCode
  } catch (error) {
    report[Symbol.dispose]()
    process.stderr.write(
      failureText(error, { colour, verbose: parsed.global.verbose, aborted: stopped !== undefined }),
    )
    return exitCodeOf(error, stopped)
  }
}

process.stdout.on('error', error => {
  // The reader of our output has gone (`slipway images | head`): not a failure of ours.
  if ('code' in error && error.code === 'EPIPE') process.exit(0)
  throw error
})
main(process.argv.slice(2)).then(
  exitCode => {
    process.exitCode = exitCode
  },
  error => {
    throw error
  },
)
