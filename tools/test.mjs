import { register as registerHook } from 'node:module'
import { register } from 'tsx/esm/api'

// Not `--import tsx`: every thread that a test starts would be given it, too, and spend a quarter of a second on it.
register()
registerHook('./at-once-hook.mjs', import.meta.url)
await import('./test.ts')
