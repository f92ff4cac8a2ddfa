import { dirname, join } from 'node:path'
import { NO_PROJECT, type Project, type ProjectMetadata, parseProject, takesPart } from '#cnb'
import type { Report } from '#std'
import { descriptorMissing } from '../problems.ts'
import { parseInput, readInput } from '../read-input.ts'

/** The project descriptor of an app, and the directory that paths in it are relative to. */
export interface AppProject {
  readonly project: Project
  readonly directory: string
}

/** Reads the descriptor that was named, else `project.toml` of the app, else says nothing. Throws `DESCRIPTOR_MISSING`, `INPUT_UNREADABLE` or what `parseProject` throws. */
export async function readAppProject(
  path: string,
  named: string | undefined,
  report: Report,
): Promise<AppProject> {
  const file = named ?? join(path, 'project.toml')
  const text = await readInput(file)
  if (text === undefined && named !== undefined) throw descriptorMissing(named)
  return {
    project: text === undefined ? NO_PROJECT : parseInput(() => parseProject(text, file, report)),
    directory: dirname(file),
  }
}

/** The variables that a project sets for builds in an execution environment. */
export function projectVariables({ variables }: Project, execEnv: string): Map<string, string> {
  return new Map(
    variables.filter(each => takesPart(each.execEnv, execEnv)).map(({ name, value }) => [name, value]),
  )
}

/** What the image says of its source: the version and the place that the descriptor declares. */
export function projectMetadata({ version, sourceUrl }: Project): ProjectMetadata {
  if (version === undefined && sourceUrl === undefined) return {}
  return {
    source: {
      type: 'project',
      ...(version !== undefined && { version: { declared: version } }),
      ...(sourceUrl !== undefined && { metadata: { url: sourceUrl } }),
    },
  }
}
