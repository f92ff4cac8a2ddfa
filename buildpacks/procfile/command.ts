import { needsShell, splitWords } from '#sdk'

/**
 * The words of a process. A command that a shell would only split into words is started directly, so that images without
 * a shell can run it; all others are handed to bash, as written.
 */
export function commandOf(text: string, direct: boolean): string[] {
  return !direct && needsShell(text) ? ['bash', '-c', text] : splitWords(text, 'the Procfile')
}
