import type { Running } from '#sandbox'

/** Signals that a person or a supervisor means for the program that runs, not for slipway. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

/** So many times Ctrl-C, and a program that does not end by itself is ended. */
const PATIENCE = 3

/** Where signals come from: the process, or a stand-in for it. */
export interface SignalSource {
  on(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown
  off(name: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown
}

/** Signals on their way to a program. Disposal stops passing them on. */
export interface PassedSignals extends Disposable {
  /** To be called once the program can be sent signals. */
  readonly started: (running: Running) => void
  /** Aborted when the person insists. */
  readonly kill: AbortSignal
}

/**
 * Passes signals of this process on to a program. On a terminal, Ctrl-C and a change of its size reach all processes of the program, as they would if it
 * had been started there; the third Ctrl-C ends it. Before the start nothing is passed on.
 */
export function signalsTo(source: SignalSource, terminal: boolean): PassedSignals {
  const ending = new AbortController()
  let running: Running | undefined
  let interrupts = 0
  const pass = (name: NodeJS.Signals) => {
    if (!running) return
    if (name === 'SIGINT' && ++interrupts >= PATIENCE) ending.abort(new Error('interrupted again and again'))
    const group = terminal && (name === 'SIGINT' || name === 'SIGQUIT' || name === 'SIGWINCH')
    void running.kill(name, group ? 'group' : 'program')
  }
  for (const name of PASSED_ON) source.on(name, pass)
  return {
    started(program) {
      running = program
    },
    kill: ending.signal,
    [Symbol.dispose]() {
      for (const name of PASSED_ON) source.off(name, pass)
    },
  }
}
