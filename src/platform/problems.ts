import { Problem } from '#std'

/** Exit code of wrong arguments or inputs (CNB platform specification). */
const INVALID_INPUT = 3

export const sourceMissing = (path: string, cause?: unknown) =>
  new Problem('SOURCE_MISSING', {
    what: 'Cannot build',
    why: `there is nothing at ${path}`,
    fix: 'Give the directory of the app with --path DIR.',
    exitCode: INVALID_INPUT,
    cause,
  })

export const sourceNotDirectory = (path: string) =>
  new Problem('SOURCE_NOT_DIRECTORY', {
    what: 'Cannot build',
    why: `${path} is not a directory`,
    fix: 'Give the directory of the app with --path DIR; archives have to be unpacked first.',
    exitCode: INVALID_INPUT,
  })

export const unreadable = (path: string, cause: unknown) =>
  new Problem('SOURCE_UNREADABLE', {
    what: 'Cannot copy the source',
    why: `${path} may not be read by this user`,
    fix: `Make it readable (chmod u+r), or keep it out of the build: add it to "exclude" under [io.buildpacks] in project.toml.`,
    exitCode: INVALID_INPUT,
    cause,
  })

export const notLinux = (platform: string) =>
  new Problem('NOT_LINUX', {
    what: 'Cannot build or run images on this machine',
    why: `slipway builds inside Linux namespaces, and this is ${platform}`,
    fix: 'Run slipway in a Linux virtual machine or container (WSL 2, Lima, a CI job). images, inspect, rebase, sbom and copy work here.',
  })

export const imageMissing = (name: string) =>
  new Problem('IMAGE_MISSING', {
    what: `Cannot find the image ${name}`,
    why: 'the store has no image of that name',
    fix: 'See what there is with `slipway images`, or build it with `slipway build`.',
    exitCode: INVALID_INPUT,
  })
