import { idInvalid, layerNameInvalid, processTypeInvalid, versionInvalid } from './problems.ts'

declare const checked: unique symbol

/** The id of a buildpack or extension, `acme/node`; safe as a path name once escaped. */
export type BuildpackId = string & { readonly [checked]: 'BuildpackId' }
/** The name of a layer: a file name that is neither `build`, `launch` nor `store`. */
export type LayerName = string & { readonly [checked]: 'LayerName' }
/** The type of a process: `web`, `worker`; safe as a file name. */
export type ProcessType = string & { readonly [checked]: 'ProcessType' }

/** Names below the layers directory that belong to the lifecycle. The last ones are its files. */
const TAKEN = ['app', 'config', 'generated', 'sbom']
const FILES = ['analyzed', 'group', 'order', 'plan', 'project-metadata', 'report']

/**
 * Checks a buildpack id (CNB buildpack specification, "buildpack.toml"): letters, digits, `.`, `-` and `/` between
 * parts. `_` is not among them, so that escaped ids stay different. Throws a `Problem` (`BUILDPACK_ID_INVALID`).
 */
export function parseBuildpackId(text: string, source: string): BuildpackId {
  if (text.length > 200) throw idInvalid(text, source, 'it is longer than 200 characters')
  if (!/^[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/.test(text)) {
    throw idInvalid(text, source, text === '' ? 'it is empty' : 'it has characters that ids may not have')
  }
  if (text.split('/').some(part => /^\.+$/.test(part))) throw idInvalid(text, source, 'a part has only dots')
  if (TAKEN.includes(text) || FILES.some(file => text === `${file}.toml`)) {
    throw idInvalid(text, source, 'the lifecycle uses that name itself')
  }
  return text as BuildpackId
}

/** The id as a directory name: every `/` becomes `_`. Different ids give different names. */
export function escapeId(id: BuildpackId): string {
  return id.replaceAll('/', '_')
}

/** Checks the version of a buildpack, which is a directory name in builders. Throws a `Problem` (`BUILDPACK_VERSION_INVALID`). */
export function parseVersion(text: string, source: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9.+-]{0,127}$/.test(text)) throw versionInvalid(text, source)
  return text
}

/** Checks the name of a layer. Throws a `Problem` (`LAYER_NAME_INVALID`). */
export function parseLayerName(text: string, source: string): LayerName {
  if (text === '' || text === '.' || text === '..') throw layerNameInvalid(text, source, 'it names no layer')
  if (text === 'build' || text === 'launch' || text === 'store') {
    throw layerNameInvalid(text, source, 'build, launch and store are names of files of the specification')
  }
  if (/[/\u0000-\u001f\u007f\ufffd]/.test(text)) {
    throw layerNameInvalid(text, source, 'it has "/", control characters or bytes that are not UTF-8')
  }
  return text as LayerName
}

/** Checks a process type (CNB buildpack specification, "launch.toml"). Throws a `Problem` (`PROCESS_TYPE_INVALID`). */
export function parseProcessType(text: string, source: string): ProcessType {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(text) || /^\.+$/.test(text)) throw processTypeInvalid(text, source)
  return text as ProcessType
}
