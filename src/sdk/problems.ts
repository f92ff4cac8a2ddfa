import { Problem } from '#std'

export const notStartedByLifecycle = (why: string) =>
  new Problem('BUILDPACK_CALL', {
    what: 'Cannot run the buildpack',
    why,
    fix: 'A lifecycle has to start it (CNB Buildpack API 0.10 or newer): bin/detect PLATFORM PLAN, bin/build LAYERS PLATFORM PLAN.',
  })

export const layerNameForbidden = (name: string) =>
  new Problem('LAYER_NAME_FORBIDDEN', {
    what: `Cannot make a layer called ${JSON.stringify(name)}`,
    why: 'the name is reserved, or has other characters than letters, digits, dots, dashes and underscores',
    fix: 'Give the layer another name in the buildpack.',
  })

export const bindingsAmbiguous = (type: string, names: readonly string[]) =>
  new Problem('BINDINGS_AMBIGUOUS', {
    what: `Cannot choose a binding of type ${type}`,
    why: `there are ${names.length}: ${names.join(', ')}`,
    fix: 'Hand only one of them to the build.',
  })

export const notABoolean = (name: string, value: string) =>
  new Problem('CONFIGURATION_INVALID', {
    what: `Cannot use $${name}`,
    why: `${JSON.stringify(value.slice(0, 100))} is neither true nor false`,
    fix: `Set ${name}=true or ${name}=false.`,
  })

export const notANumber = (name: string, value: string) =>
  new Problem('CONFIGURATION_INVALID', {
    what: `Cannot use $${name}`,
    why: `${JSON.stringify(value.slice(0, 100))} is not a whole number`,
    fix: `Set ${name} to digits only.`,
  })

export const quoteUnclosed = (name: string, quote: string) =>
  new Problem('CONFIGURATION_INVALID', {
    what: `Cannot use ${name}`,
    why: `a quote (${quote}) is opened and not closed`,
    fix: `Close the quote, or write a backslash before it.`,
  })

export const unknownPlatformArchitecture = (arch: string) =>
  new Problem('TARGET_UNKNOWN', {
    what: 'Cannot choose dependencies',
    why: `the target's machine is ${JSON.stringify(arch)}, and there is only amd64 and arm64`,
    fix: 'Build for linux/amd64 or linux/arm64.',
  })

export const noResolver = (name: string) =>
  new Problem('DEPENDENCY_NO_SOURCE', {
    what: `Cannot get ${name}`,
    why: 'no slipway platform answers here, and the buildpack carries no resolver of its own',
    fix: 'Build with slipway, or use the packaged form of this buildpack (slipway buildpack package).',
  })

export const dependencyRefused = (name: string, code: string, what: string, why: string, fix: string) =>
  new Problem(code, { what: what || `Cannot get ${name}`, why, fix })

export const dependencyUnanswered = (name: string, cause: unknown) =>
  new Problem('DEPENDENCY_UNANSWERED', {
    what: `Cannot get ${name}`,
    why: `the platform did not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    fix: 'Run the build again, with --verbose to see what the platform says.',
    cause,
  })

export const helperMissing = (name: string) =>
  new Problem('HELPER_MISSING', {
    what: `Cannot add the start-up helper ${name}`,
    why: 'this lifecycle has no slipway launcher, and the buildpack carries no copy of it',
    fix: 'Build with slipway, or use the packaged form of this buildpack (slipway buildpack package).',
  })

export const programMissing = (command: string, cause: unknown) =>
  new Problem('PROGRAM_MISSING', {
    what: `Cannot run ${command}`,
    why: 'there is no such program, or it is for another machine',
    fix: 'Check that the file is there, and that its first line names an interpreter that the build image has.',
    cause,
  })

export const programFailed = (command: string, how: string) =>
  new Problem('PROGRAM_FAILED', {
    what: `${command} did not succeed`,
    why: how,
    fix: 'Its output above says more.',
  })

export const archiveEscapes = (archive: string, name: string) =>
  new Problem('ARCHIVE_REFUSED', {
    what: `Cannot unpack ${archive}`,
    why: `its entry ${JSON.stringify(name.slice(0, 200))} would be written elsewhere`,
    fix: 'Make the archive anew, with relative names and no links that lead out of it.',
  })

export const descriptorUnusable = (file: string, why: string) =>
  new Problem('BUILDPACK_DESCRIPTOR', {
    what: `Cannot use ${file}`,
    why,
    fix: 'Write api, [buildpack] id and version as the Buildpack specification says.',
  })
