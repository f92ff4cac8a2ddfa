import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** `$SLIPWAY_HOME`, else `$XDG_DATA_HOME/slipway`, else `~/.local/share/slipway` (XDG base directory specification). */
export function homeOf({ SLIPWAY_HOME: own, XDG_DATA_HOME: data }: NodeJS.ProcessEnv): string {
  if (own) return resolve(own)
  return data?.startsWith('/') ? join(data, 'slipway') : join(homedir(), '.local/share/slipway')
}
