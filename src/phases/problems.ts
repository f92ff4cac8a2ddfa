import { Problem, printable } from '#std'

/** Exit codes that every phase shares (CNB platform specification, "Exit Codes"; those of flags are Go's). */
export const EXIT = { generic: 1, flags: 2, invalidInput: 3 } as const

export const flagInvalid = (program: string, why: string) =>
  new Problem('FLAG_INVALID', {
    what: `Cannot run ${printable(program)}`,
    why: printable(why),
    fix: `Run ${printable(program)} -h to see its flags.`,
    exitCode: EXIT.flags,
  })

export const phaseUnknown = (name: string, known: readonly string[]) =>
  new Problem('PHASE_UNKNOWN', {
    what: 'Cannot tell which phase is meant',
    why: name === '' ? 'none is named' : `there is no phase ${JSON.stringify(printable(name))}`,
    fix: `Name one of ${known.join(', ')}.`,
    exitCode: EXIT.invalidInput,
  })

export const inputInvalid = (why: string, fix: string, cause?: unknown) =>
  new Problem('PHASE_INPUT_INVALID', {
    what: 'Cannot use the inputs of this phase',
    why: printable(why),
    fix,
    exitCode: EXIT.invalidInput,
    cause,
  })

export const refusesRoot = (phase: string) =>
  new Problem('PHASE_REFUSES_ROOT', {
    what: `Cannot run the ${phase}`,
    why: 'it runs executables of buildpacks, and this process is root',
    fix: 'Run it as the user of the build image (CNB_USER_ID, CNB_GROUP_ID).',
    exitCode: EXIT.generic,
  })

export const userUnavailable = (uid: number, gid: number, cause: unknown) =>
  new Problem('PHASE_USER_UNAVAILABLE', {
    what: `Cannot run as user ${uid}:${gid}`,
    why: cause instanceof Error ? cause.message : String(cause),
    fix: 'Start the container as that user, or as root with the capabilities CHOWN, SETUID and SETGID.',
    cause,
    exitCode: EXIT.generic,
  })

export const ownerUnchangeable = (path: string, cause: unknown) =>
  new Problem('PHASE_OWNER_UNCHANGEABLE', {
    what: `Cannot give ${printable(path)} to the user of the build`,
    why: cause instanceof Error ? cause.message : String(cause),
    fix: 'Mount a volume there that this user may write to, or start the container as root with the capability CHOWN.',
    cause,
    exitCode: EXIT.generic,
  })

export const documentMissing = (file: string, about: string) =>
  new Problem('PHASE_DOCUMENT_MISSING', {
    what: `Cannot read ${printable(file)}`,
    why: `there is no such file; ${about} writes it`,
    fix: 'Run that phase first, with the same layers directory.',
    exitCode: EXIT.generic,
  })

export const experimental = (feature: string) =>
  new Problem('PHASE_EXPERIMENTAL', {
    what: `Cannot use ${feature}`,
    why: 'it is an experimental feature of the platform specification, and CNB_EXPERIMENTAL_MODE does not allow these',
    fix: 'Set CNB_EXPERIMENTAL_MODE=warn.',
    exitCode: EXIT.generic,
  })

export const runImageMissing = (name: string, exitCode: number, cause?: unknown) =>
  new Problem('PHASE_RUN_IMAGE_MISSING', {
    what: `Cannot use the run image ${printable(name)}`,
    why: 'there is no such image, or these credentials may not read it',
    fix: 'Name another one with -run-image, or give the lifecycle credentials for its registry.',
    exitCode,
    cause,
  })

export const extensionsUnsupported = (exitCode: number) =>
  new Problem('PHASE_EXTENSIONS_UNSUPPORTED', {
    what: 'Cannot extend a base image',
    why: 'image extensions are Dockerfiles, and slipway runs none: an image is the same for everyone only if no command ran in its base',
    fix: 'Use a base image that has what the extension would add (see docs/bases.md), or a run image that is already extended.',
    exitCode,
  })

export const layoutReferenceInvalid = (text: string) =>
  new Problem('LAYOUT_REFERENCE_INVALID', {
    what: 'Cannot find an image on disk',
    why: `${JSON.stringify(printable(text.slice(0, 200)))} is not a path, @ and a digest`,
    fix: 'Let the same analyzer, restorer and exporter work with the same layers directory.',
    exitCode: EXIT.generic,
  })

export const imageUnreadable = (what: string, name: string, exitCode: number, cause?: unknown) =>
  new Problem('PHASE_IMAGE_UNREADABLE', {
    what: `Cannot read the ${what} ${printable(name)}`,
    why: cause instanceof Error ? cause.message : 'there is no such image',
    fix: 'Check its name, and that the lifecycle is given credentials for its registry (CNB_REGISTRY_AUTH or a Docker configuration).',
    exitCode,
    cause,
  })
