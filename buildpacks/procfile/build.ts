import { type Build, byBytes } from '#sdk'
import { commandOf } from './command.ts'

/** Writes the processes; `web`, else `worker`, is the default one. */
export const build: Build = ({ required, configuration, launch, log }) => {
  const procfile = required('procfile') ?? {}
  const direct = configuration.flag('BP_DIRECT_PROCESS')
  const types = Object.keys(procfile).sort(byBytes)
  const main =
    ['web', 'worker'].find(type => types.includes(type)) ?? (types.length === 1 ? types[0] : undefined)
  for (const type of types) {
    const command = commandOf(String(procfile[type]), direct)
    log.line(`Process ${type}${type === main ? ' (default)' : ''}: ${command.join(' ')}`)
    launch.process({ type, command, default: type === main })
  }
}
