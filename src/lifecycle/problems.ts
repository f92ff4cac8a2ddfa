import { Problem, printable } from '#std'

/** Exit codes of the phases (CNB platform specification, "Exit Codes"). */
export const EXIT = {
  generic: 1,
  invalidInput: 3,
  detectNonePassed: 20,
  detectErrored: 21,
  detect: 22,
  analyze: 32,
  restore: 42,
  buildpackFailed: 51,
  build: 52,
  extensionFailed: 91,
  generate: 92,
} as const

export const fileRefused = (path: string, why: string) =>
  new Problem('BUILDPACK_FILE_REFUSED', {
    what: `Cannot use ${printable(path)}`,
    why,
    fix: 'The buildpack that wrote it has to write a plain file of sensible size there.',
    exitCode: EXIT.build,
  })

export const buildpackMissing = (name: string, from: string, exitCode: number) =>
  new Problem('BUILDPACK_MISSING', {
    what: `Cannot find the buildpack ${name}`,
    why: `${from} asks for it, and there is none of that id and version`,
    fix: 'Add it with --buildpack, or correct the order.',
    exitCode,
  })

export const orderTooDeep = (name: string) =>
  new Problem('ORDER_TOO_DEEP', {
    what: `Cannot expand the buildpack ${name}`,
    why: 'composite buildpacks contain each other without end, or in more ways than can be tried',
    fix: 'Correct the order in its buildpack.toml.',
    exitCode: EXIT.detect,
  })

export const extensionUnsupported = (name: string, file: string, line: number, instruction: string) =>
  new Problem('EXTENSION_UNSUPPORTED', {
    what: `Cannot build with the image extension ${name}`,
    why: `line ${line} of its ${file} is ${JSON.stringify(printable(instruction).slice(0, 200))}, and slipway runs no Dockerfile instructions: a run image may be switched, nothing else`,
    fix: 'Use a base image that has what the extension would add, or leave extensions out with --skip-extensions.',
    exitCode: EXIT.generate,
  })

export const extensionWroteNonsense = (name: string, why: string, cause?: unknown) =>
  new Problem('EXTENSION_OUTPUT_INVALID', {
    what: `Cannot use what the image extension ${name} made`,
    why: printable(why),
    fix: 'This is for the author of the extension to correct; leave extensions out with --skip-extensions.',
    exitCode: EXIT.generate,
    cause,
  })

export const extensionFailed = (name: string, how: string) =>
  new Problem('EXTENSION_FAILED', {
    what: `The image extension ${name} failed`,
    why: how,
    fix: 'Its output above says more; leave extensions out with --skip-extensions.',
    exitCode: EXIT.extensionFailed,
  })

export const buildpackFailed = (name: string, how: string) =>
  new Problem('BUILDPACK_FAILED', {
    what: `The buildpack ${name} could not build the app`,
    why: how,
    fix: 'Its output above says more.',
    exitCode: EXIT.buildpackFailed,
  })

export const buildpackWroteNonsense = (name: string, why: string, cause?: unknown) =>
  new Problem('BUILDPACK_OUTPUT_INVALID', {
    what: `Cannot use what the buildpack ${name} made`,
    why: printable(why),
    fix: 'This is for the author of the buildpack to correct; another version of it may work.',
    exitCode: EXIT.build,
    cause,
  })

export const runImageTargetUnknown = (image: string) =>
  new Problem('RUN_IMAGE_UNUSABLE', {
    what: `Cannot use ${printable(image)} as a run image`,
    why: 'its configuration does not say for which operating system it is',
    fix: 'Choose another run image with --run-image.',
    exitCode: EXIT.analyze,
  })

export const layerRefused = (name: string, why: string) =>
  new Problem('LAYER_REFUSED', {
    what: 'Cannot restore a layer',
    why: `${JSON.stringify(printable(name))}: ${why}`,
    fix: 'Build with --clear-cache.',
    exitCode: EXIT.restore,
  })
