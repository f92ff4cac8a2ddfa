import { Problem, printable } from '#std'

/** Exit code of a failed export (CNB platform specification, "Exporter"). */
const EXPORT = 62

export const treeUnreadable = (path: string | Buffer, cause: unknown) =>
  new Problem('TREE_UNREADABLE', {
    what: 'Cannot export the image',
    why: `${printable(path.toString())} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    fix: 'Make it readable for the user who runs the build, or leave it out of the app or the layer.',
    cause,
    exitCode: EXPORT,
  })

export const patternMalformed = (pattern: string) =>
  new Problem('SLICE_PATTERN_MALFORMED', {
    what: 'Cannot cut the app into slices',
    why: `${JSON.stringify(pattern)} is not a pattern: a [ is not closed, a class is empty, or a \\ stands at the end`,
    fix: "Correct the slice that the buildpack writes to launch.toml; patterns are those of Go's path/filepath.Match.",
    exitCode: EXPORT,
  })

export const launcherMissing = (file: string, cause?: unknown) =>
  new Problem('LAUNCHER_MISSING', {
    what: 'Cannot put the launcher into the image',
    why: `there is no file ${file}`,
    fix: 'Build it (see launcher/README.md), name another one with --launcher-path, or use --launcher never where no process needs one.',
    cause,
    exitCode: EXPORT,
  })

export const processTypeInvalid = (type: string) =>
  new Problem('PROCESS_TYPE_INVALID', {
    what: 'Cannot export the image',
    why: `${JSON.stringify(printable(type))} is not a process type`,
    fix: 'Process types have letters, digits, dots, underscores and dashes; correct the launch.toml that names it.',
    exitCode: EXPORT,
  })

export const placeNotDirectory = (path: string) =>
  new Problem('PLACE_NOT_DIRECTORY', {
    what: 'Cannot use what a buildpack made',
    why: `${printable(path)} is not a directory of its own`,
    fix: 'The buildpack has to make a directory there; links are not followed, since they could lead anywhere.',
    exitCode: EXPORT,
  })

export const launcherNeeded = (reasons: readonly string[]) =>
  new Problem('LAUNCHER_NEEDED', {
    what: 'Cannot make an image without a launcher',
    why: reasons.map(printable).join('; '),
    fix: 'Use --launcher auto, which adds one where it is needed, or take away what needs it.',
    exitCode: EXPORT,
  })

export const labelReserved = (key: string) =>
  new Problem('LABEL_RESERVED', {
    what: 'Cannot export the image',
    why: `a buildpack sets the label ${printable(key)}, which belongs to the lifecycle`,
    fix: 'The buildpack has to choose a key of its own; io.buildpacks. is reserved.',
    exitCode: EXPORT,
  })

export const layerUnreusable = (identifier: string, why: string) =>
  new Problem('LAYER_UNREUSABLE', {
    what: `Cannot export the layer ${printable(identifier)}`,
    why,
    fix: 'Build again with --clear-cache; if it stays so, the buildpack has to make the layer instead of counting on an earlier one.',
    exitCode: EXPORT,
  })

export const processTypeUnknown = (type: string, known: readonly string[]) =>
  new Problem('PROCESS_TYPE_UNKNOWN', {
    what: `Cannot make ${JSON.stringify(type)} the default process`,
    why: known.length === 0 ? 'the buildpacks made no processes' : `the processes are ${known.join(', ')}`,
    fix: 'Name one of the processes, or leave the choice to the buildpacks.',
    exitCode: EXPORT,
  })

export const cacheMissing = (directory: string) =>
  new Problem('CACHE_MISSING', {
    what: `Cannot use the cache ${printable(directory)}`,
    why: 'there is no such directory',
    fix: 'Make it, or mount a volume there, before the build.',
  })
