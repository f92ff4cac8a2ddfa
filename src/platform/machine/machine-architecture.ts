import type { Architecture } from '#os'
import { notLinux } from '../problems.ts'

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' }

/** The architecture of this machine in Debian's words. Throws `NOT_LINUX` where there are no bases for it. */
export function machineArchitecture(): Architecture {
  const found = ARCHITECTURES[process.arch]
  if (found) return found
  throw notLinux(`${process.platform} on ${process.arch}`)
}
