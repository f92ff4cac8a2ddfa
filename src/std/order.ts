/** Compares by UTF-8 bytes, never by locale; for `toSorted` of names that reach an output. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
