import { Problem, printable } from '#std'

/** Exit code of a failed export (CNB platform specification, "Exporter"). */
const EXPORT = 62

export const treeUnreadable = (path: Buffer, cause: unknown) =>
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
