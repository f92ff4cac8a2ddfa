import { Problem } from '#std'

/** Exit codes that the CNB platform specification gives to versions that are not spoken. */
const PLATFORM_API = 11
const BUILDPACK_API = 12
const INVALID_INPUT = 3

const shown = (text: string) => JSON.stringify(text.slice(0, 200))

export const platformApiUnsupported = (text: string, supported: readonly string[]) =>
  new Problem('PLATFORM_API_UNSUPPORTED', {
    what: 'Cannot speak with this platform',
    why: text === '' ? 'CNB_PLATFORM_API is not set' : `it asks for Platform API ${shown(text)}`,
    fix: `Set CNB_PLATFORM_API to one of ${supported.join(', ')}.`,
    exitCode: PLATFORM_API,
  })

export const buildpackApiUnsupported = (text: string, source: string, supported: readonly string[]) =>
  new Problem('BUILDPACK_API_UNSUPPORTED', {
    what: `Cannot use ${source}`,
    why: text === '' ? 'it names no Buildpack API ("api")' : `it asks for Buildpack API ${shown(text)}`,
    fix: `Use a release of it for Buildpack API ${supported[0]} to ${supported.at(-1)}.`,
    exitCode: BUILDPACK_API,
  })

export const documentInvalid = (source: string, why: string, fix = 'Correct the file at that place.') =>
  new Problem('DOCUMENT_INVALID', { what: `Cannot use ${source}`, why, fix })

export const idInvalid = (text: string, source: string, why: string) =>
  new Problem('BUILDPACK_ID_INVALID', {
    what: `Cannot use the buildpack id ${shown(text)} from ${source}`,
    why,
    fix: 'Ids have letters, digits, ".", "-" and "/" between parts, as in acme/node.',
  })

export const versionInvalid = (text: string, source: string) =>
  new Problem('BUILDPACK_VERSION_INVALID', {
    what: `Cannot use the version ${shown(text)} from ${source}`,
    why: 'it is not a version',
    fix: 'Versions look like 1.2.3: letters, digits, ".", "+" and "-".',
  })

export const layerNameInvalid = (text: string, source: string, why: string) =>
  new Problem('LAYER_NAME_INVALID', {
    what: `Cannot use the layer name ${shown(text)} from ${source}`,
    why,
    fix: 'The buildpack has to give that layer another name.',
  })

export const processTypeInvalid = (text: string, source: string) =>
  new Problem('PROCESS_TYPE_INVALID', {
    what: `Cannot use the process type ${shown(text)} from ${source}`,
    why: 'process types have letters, digits, ".", "_" and "-" only',
    fix: 'The buildpack has to give that process another type.',
  })

export const planTooComplex = (trials: number) =>
  new Problem('BUILD_PLAN_TOO_COMPLEX', {
    what: 'Cannot choose between the build plans',
    why: `the buildpacks offer so many alternatives ("or") that ${trials} combinations did not settle it`,
    fix: 'Name fewer buildpacks, or use buildpacks that offer fewer alternatives.',
  })

export const projectInvalid = (file: string, why: string, fix: string) =>
  new Problem('PROJECT_INVALID', { what: `Cannot use ${file}`, why, fix, exitCode: INVALID_INPUT })
