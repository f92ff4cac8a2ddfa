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

/**
 * True for a command that a shell does more with than split it (see `splitWords`): variables, pipes, lists, redirections, patterns, own words. All others
 * can be started directly, so that images without a shell run them too.
 */
export function needsShell(text: string): boolean {
  const bare = text.replace(/'[^']*'/g, "''").replace(/\\./g, '')
  if (/[$`]/.test(bare)) return true
  const unquoted = bare.replace(/"[^"]*"/g, '""')
  if (/[|&;<>()*?[\]{}!#~\n]/.test(unquoted)) return true
  const first = /^\s*(\S*)/.exec(unquoted)?.[1] ?? ''
  return /^[A-Za-z_]\w*=/.test(first) || SHELL_WORDS.has(first)
}
