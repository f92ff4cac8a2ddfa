import { splitWords } from '#sdk'

/**
 * The words of a process. A command that a shell would only split into words is started directly, so that images without
 * a shell can run it; all others are handed to bash, as written.
 */
export function commandOf(text: string, direct: boolean): string[] {
  return !direct && needsShell(text) ? ['bash', '-c', text] : splitWords(text, 'the Procfile')
}

/** Words that only a shell knows. */
const SHELL_WORDS = new Set([
  '.',
  'cd',
  'eval',
  'exec',
  'export',
  'if',
  'for',
  'set',
  'source',
  'trap',
  'ulimit',
  'umask',
  'unset',
  'until',
  'while',
  'case',
])

/** True for a command that a shell does more with than split it: variables, pipes, lists, redirections, patterns, own words. */
export function needsShell(text: string): boolean {
  const bare = text.replace(/'[^']*'/g, "''").replace(/\\./g, '')
  if (/[$`]/.test(bare)) return true
  const unquoted = bare.replace(/"[^"]*"/g, '""')
  if (/[|&;<>()*?[\]{}!#~\n]/.test(unquoted)) return true
  const first = /^\s*(\S*)/.exec(unquoted)?.[1] ?? ''
  return /^[A-Za-z_]\w*=/.test(first) || SHELL_WORDS.has(first)
}
