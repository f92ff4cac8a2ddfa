/**
 * Lines of a maintainer script that change nothing in an image that is made at once and never upgraded in place: the shell's
 * own words, messages, and calls of programs that move what older versions left, start services, or refresh caches.
 * Everything else counts as an act; that a line is missing here costs a look at a script, not a wrong image.
 */
const QUIET: readonly RegExp[] = [
  /^$/,
  /^#/,
  /^set [-+]\w+$/,
  // Tests; what they choose between is on lines of its own.
  /^(?:if|elif|while|until|for)\b[^`;]*(?:;\s*(?:then|do))?$/,
  /^(?:then|else|fi|do|done|esac|;;|\{|\}|in|:)\s*;*(?:\s*#.*)?$/,
  /^case\b.*\bin$/,
  /^[\w"'$|*. @\\#-]+\)\s*(?:;;|continue|break|:|return \d)?\s*$/,
  /^\[.*\](?:\s*(?:&&|\|\|)\s*(?:return|continue|shift|exit)(?:\s+\d+)?)?$/,
  /^(?:exit|return|shift|continue|break|local|true)\b[\w\s$"?]*$/,
  /^(?:local |export )?\w+=[^`>;&|]*$/,
  /^(?:echo|printf)\b[^>`;&|]*(?:2?>&[12])?$/,
  /^(?:echo|printf)\b\s*>&2[^>`;&|]*$/,
  /^\w+\s*\(\)\s*\{?$/,
  /^(?:dpkg-maintscript-helper|dpkg-trigger|ldconfig|deb-systemd-\w+|systemd-tmpfiles|systemctl|invoke-rc\.d|update-rc\.d)\b[^>;&`]*(?:\|\| (?:true|:|exit \$\?))?$/,
  /^(?:\. \/usr\/share\/debconf\/confmodule|db_(?:version|stop|title|capb)\b.*)$/,
]

/** An assignment may hide a command; only those that look something up do nothing. */
const LOOKS =
  /^(?:local |export )?\w+="?\$\((?:readlink|basename|dirname|dpkg-query|dpkg|echo|uname|cat|expr|LC_ALL=\S+ dpkg)\b[^`]*$/

/** What a maintainer script does to a system, line by line; empty for one that does nothing that an image would miss. */
export function actsOf(script: string): string[] {
  return script
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map(line => line.trim())
    .filter(line => !isQuiet(line))
}

function isQuiet(line: string): boolean {
  if (/\$\(/.test(line) && !/^(?:#|if|elif|while|until)/.test(line)) return LOOKS.test(line)
  return QUIET.some(pattern => pattern.test(line))
}
