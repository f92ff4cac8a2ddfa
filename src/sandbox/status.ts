import type { Readable } from 'node:stream'

/** What bubblewrap reports at `--json-status-fd`, one JSON document a line. */
export interface Status {
  /** Process id of the sandbox's first process as the host sees it; undefined if bubblewrap ended before there was one. */
  readonly child: Promise<number | undefined>
  /** Exit code of the program; undefined if it was never started, or was ended together with its sandbox. */
  readonly exitCode: Promise<number | undefined>
}

/** Reads the reports of one bubblewrap. */
export function readStatus(stream: Readable): Status {
  let tellChild: (pid: number | undefined) => void = () => {}
  let tellExit: (code: number | undefined) => void = () => {}
  const child = new Promise<number | undefined>(resolve => (tellChild = resolve))
  const exitCode = new Promise<number | undefined>(resolve => (tellExit = resolve))
  let text = ''
  stream.setEncoding('latin1')
  stream.on('data', (part: string) => {
    text += part
    const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1]
    if (pid !== undefined) tellChild(Number(pid))
    const code = /"exit-code":\s*(\d+)/.exec(text)?.[1]
    if (code !== undefined) tellExit(Number(code))
  })
  const over = () => {
    tellChild(undefined)
    tellExit(undefined)
  }
  stream.once('close', over)
  stream.once('error', over)
  return { child, exitCode }
}
