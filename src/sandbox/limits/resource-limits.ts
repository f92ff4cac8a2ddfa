import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Limits that the kernel keeps per process or per user (setrlimit(2)). */
export interface ResourceLimits {
  /** Processes of the sandbox's user in its own user namespace. */
  readonly processes?: number
  /** Size of one file. */
  readonly fileBytes?: number
}

/** True if `prlimit` (util-linux) is here and RLIMIT_NPROC counts per user namespace, as it does since Linux 5.14. */
export async function canLimitProcesses(release: string): Promise<boolean> {
  const [major = 0, minor = 0] = release.split('.').map(part => Number.parseInt(part, 10))
  if (major < 5 || (major === 5 && minor < 14)) return false
  try {
    await promisify(execFile)('prlimit', ['--version'], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}

/** Sets limits of a process that has not begun its work, so that all its children get them too. */
export async function limitProcess(pid: number, { processes, fileBytes }: ResourceLimits): Promise<void> {
  const words = [
    ...(processes === undefined ? [] : [`--nproc=${processes}:${processes}`]),
    ...(fileBytes === undefined ? [] : [`--fsize=${fileBytes}:${fileBytes}`]),
  ]
  if (words.length > 0)
    await promisify(execFile)('prlimit', ['--pid', String(pid), ...words], { timeout: 5_000 })
}
