/** Cuts credentials out of text that may be shown or stored: user info in URLs, and authorization values. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/@\s]{1,1024}@/gi, '$1***@')
    .replace(/\b(Basic|Bearer)\s+[\w+/=.~-]{6,4096}/gi, '$1 ***')
}

/** Text from an image, a buildpack or a registry, safe for a terminal: control characters become visible. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, character =>
    character === '\n' || character === '\t'
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
