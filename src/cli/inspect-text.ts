import { type Inspected, type InspectedBuild, type InspectedLayer, shortDigest } from '#platform'
import { printable } from '#std'
import { table } from './table.ts'
import { bytesText } from './terminal.ts'

/** Blanks between columns of the tables that `pack inspect` prints too. */
const GAP = 8

/**
 * What an image is made of, for people. The sections from `Stack` to `Processes` are those of `pack inspect`, in its order and form.
 * All text of the image is made printable.
 */
export function inspectText(found: Inspected): string {
  const { name, digest, size, created, target, user, baseId, build, layers } = found
  const { os, architecture, variant, distribution } = target
  const platform = [os, architecture, ...(variant ? [variant] : [])].join('/')
  const head = [
    `Image: ${name}`,
    `Digest: ${digest}`,
    `Size: ${bytesText(size)}`,
    `Created: ${created ?? '-'}`,
    `Target: ${platform}${distribution ? `, ${distribution.name} ${distribution.version}` : ''}`,
    `User: ${user ?? '-'}`,
  ]
  const sections = [
    printable(head.join('\n')),
    ...(build ? buildTexts(build) : [withoutBuild(baseId)]),
    `Layers:\n${table([['MADE BY', 'SIZE', 'DIFF ID', 'BLOB'], ...layers.map(layerRow)], 2, '  ')}`,
  ]
  return sections.join('\n\n')
}

function withoutBuild(baseId: string | undefined): string {
  if (baseId === undefined) return 'This image was not built by buildpacks.'
  return printable(`This is a base image for buildpacks: ${baseId}`)
}

/** The sections that `pack inspect` prints, in its order and form. */
function buildTexts(build: InspectedBuild): string[] {
  const { stack, base, runImages, rebasable, buildpacks, extensions, processes, execEnv } = build
  const lines = (...texts: string[]) => printable(texts.join('\n'))
  const modules = (title: string, of: InspectedBuild['buildpacks']) => {
    const rows = of.map(({ id, version, homepage }) => [id, version, homepage ?? '-'])
    const none = '  (buildpack metadata not present)'
    return `${title}:\n${rows.length === 0 ? none : table([['ID', 'VERSION', 'HOMEPAGE'], ...rows], GAP, '  ')}`
  }
  return [
    lines(`Stack: ${stack}`, ...(execEnv ? [`Execution Environment: ${execEnv}`] : [])),
    lines(
      'Base Image:',
      ...(base.reference ? [`  Reference: ${base.reference}`] : []),
      `  Top Layer: ${base.topLayer}`,
    ),
    lines('Run Images:', ...(runImages.length > 0 ? runImages.map(each => `  ${each}`) : ['  (none)'])),
    `Rebasable: ${rebasable}`,
    modules('Buildpacks', buildpacks),
    ...(extensions.length > 0 ? [modules('Extensions', extensions)] : []),
    ...(processes.length > 0
      ? [`Processes:\n${table([PROCESS_HEAD, ...processes.map(processRow)], GAP, '  ')}`]
      : []),
  ]
}

const PROCESS_HEAD = ['TYPE', 'SHELL', 'COMMAND', 'ARGS', 'WORK DIR']

function processRow(process: InspectedBuild['processes'][number]): string[] {
  const { type, direct, command: words, args, workingDirectory } = process
  const [first = '', ...more] = words
  const shell = direct ? '' : 'bash'
  return [
    `${type}${process.default ? ' (default)' : ''}`,
    shell,
    first,
    [...more, ...args].join(' '),
    workingDirectory,
  ]
}

const KINDS: Readonly<Record<InspectedLayer['kind'], string>> = {
  base: 'operating system',
  'base-sbom': 'operating system: bills of materials',
  buildpack: 'buildpack',
  sbom: 'bills of materials',
  app: 'application',
  launcher: 'launcher',
  config: 'launcher: configuration',
  'process-types': 'launcher: process types',
  unknown: '',
}

/** Who made a layer, in a word or two; not yet fit for a terminal. */
export function layerMaker({ kind, name, createdBy }: InspectedLayer): string {
  if (kind === 'unknown') return createdBy?.slice(0, 60) ?? '-'
  if (kind === 'app' && name) return `application: slice ${name}`
  return kind === 'buildpack' ? (name as string) : KINDS[kind]
}

function layerRow(layer: InspectedLayer): string[] {
  return [layerMaker(layer), bytesText(layer.size), shortDigest(layer.diffId), shortDigest(layer.digest)]
}
