import { arch } from 'node:os'
import type { BaseTarget, RunTarget } from '#cnb'
import type { Report } from '#std'

/**
 * What buildpacks are told that they build for: the run image, with what it does not say about itself taken from the machine that builds (as the
 * reference lifecycle does). `osRelease` is the text of os-release(5).
 */
export function buildTarget({ id: _, ...run }: RunTarget, osRelease: string, report: Report): BaseTarget {
  const base = { ...run, os: run.os || 'linux', arch: run.arch || goArchitecture() }
  if (base.distro) return base
  const distro = distroOf(osRelease)
  if (distro) report.line('target distro name/version labels not found, reading /etc/os-release file')
  return distro ? { ...base, distro } : base
}

/** `ID` and `VERSION_ID`; lines with more than one `=` are passed over, as in the reference. */
function distroOf(text: string): BaseTarget['distro'] {
  const found = { ID: '', VERSION_ID: '' }
  for (const line of text.split('\n')) {
    const parts = line.split('=')
    const [key = '', value = ''] = parts.map(part =>
      part
        .trim()
        .replace(/^"+|"+$/g, '')
        .trim(),
    )
    if (parts.length === 2 && (key === 'ID' || key === 'VERSION_ID')) found[key] = value
  }
  return found.ID ? { name: found.ID, version: found.VERSION_ID } : undefined
}

/** The architecture of this machine as Go and images call it. */
export function goArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }
  return names[arch()] ?? arch()
}
