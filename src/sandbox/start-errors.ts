const PREFIX = Buffer.from('bwrap: ')

/** stderr of a sandbox: what bubblewrap itself says before the program starts is kept apart from what the program says. */
export interface ErrorStream {
  receive(bytes: Uint8Array): void
  /** At the end: returns what was held back if the program failed to start, else passes it on. */
  finish(failed: boolean): string
}

/** Holds output back while it looks like a complaint of bubblewrap; anything else passes at once. */
export function errorStream(pass: (bytes: Uint8Array) => void): ErrorStream {
  let held: Buffer | undefined = Buffer.alloc(0)
  return {
    receive(bytes) {
      if (!held) return pass(bytes)
      held = Buffer.concat([held, bytes])
      const common = Math.min(held.length, PREFIX.length)
      if (held.subarray(0, common).equals(PREFIX.subarray(0, common)) && held.length < 65_536) return
      pass(held)
      held = undefined
    },
    finish(failed) {
      const text = held?.toString() ?? ''
      if (!failed && held && held.length > 0) pass(held)
      held = undefined
      return failed ? text : ''
    },
  }
}
