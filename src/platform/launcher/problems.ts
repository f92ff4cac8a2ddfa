import { Problem } from '#std'

export const launcherUnbuildable = (why: string, go: string, cause?: unknown) =>
  new Problem('LAUNCHER_UNBUILDABLE', {
    what: 'Cannot make the launcher that goes into the image',
    why,
    fix: `Install Go ${go}, or name a Go module proxy to fetch it from: go env -w GOPROXY=URL, or the variable GOPROXY. Images whose processes need no launcher can be built with --launcher never.`,
    cause,
  })

export const launcherMissing = (why: string) =>
  new Problem('LAUNCHER_MISSING', {
    what: 'Cannot find the launcher that goes into the image',
    why,
    fix: 'Install slipway anew, or run it from a whole checkout.',
  })
