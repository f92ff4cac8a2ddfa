import { type FileChange, type ImageDiff, type LayerChange, shortDigest, type ValueChange } from '#platform'
import { printable } from '#std'
import { layerMaker } from './inspect-text.ts'
import { table } from './table.ts'
import { bytesText } from './terminal.ts'

/** Paths that are shown unless all are asked for, of each kind of change. */
const FEW = 40
/** Characters of a value that are shown. */
const LONGEST = 100

/** In what two images differ, for people: a section for each part in which they do. `-` is the first image, `+` the second. */
export function diffText(
  { layers, files, packages, config, labels, environment }: ImageDiff,
  [before, after]: readonly [string, string],
  all: boolean,
): string {
  const sections = [
    ...(layers.some(({ change }) => change !== 'same') ? [`Layers:\n${layerTable(layers)}`] : []),
    ...(files.length > 0 ? [`Files: ${countsOf(files)}\n${fileLines(files, all ? files.length : FEW)}`] : []),
    ...valueSection('Packages', packages),
    ...valueSection('Configuration', config),
    ...valueSection('Labels', labels),
    ...valueSection('Environment', environment),
  ]
  return sections.length > 0
    ? [printable(`- ${before}\n+ ${after}`), ...sections].join('\n\n')
    : 'No difference.'
}

const SIGNS = { same: ' ', added: '+', removed: '-', changed: '~' } as const

function layerTable(layers: readonly LayerChange[]): string {
  const rows = layers.map(({ change, layer }) => [
    SIGNS[change],
    layerMaker(layer),
    bytesText(layer.size),
    shortDigest(layer.diffId),
  ])
  return table(rows, 2, '  ')
}

function countsOf(files: readonly FileChange[]): string {
  const count = (wanted: FileChange['change']) => files.filter(({ change }) => change === wanted).length
  return `${count('changed')} changed, ${count('added')} added, ${count('removed')} removed`
}

/** Paths that differ, so many at the most, one to a line. */
export function fileLines(files: readonly FileChange[], most: number, indent = '  '): string {
  const shown = files.slice(0, most)
  const rows = shown.map(file => [
    SIGNS[file.change],
    pathText(file),
    file.change === 'changed' ? file.differences.join(', ') : '',
    sizesOf(file.before, file.after),
  ])
  const left = files.length - shown.length
  return [
    table(rows, 2, indent),
    ...(left > 0 ? [`${indent}… and ${left} more; --all lists them`] : []),
  ].join('\n')
}

/** The path of a file in a container; bytes that are not UTF-8 are replaced. */
export function pathText({ path }: FileChange): string {
  return `/${Buffer.from(path, 'latin1').toString('utf8')}`
}

function sizesOf(before: FileChange['before'], after: FileChange['after']): string {
  const [was, is] = [before, after].map(entry => (entry?.type === 'file' ? bytesText(entry.size) : undefined))
  return was !== undefined && is !== undefined && was !== is ? `${was} → ${is}` : (is ?? was ?? '')
}

function valueSection(title: string, changes: readonly ValueChange[]): string[] {
  if (changes.length === 0) return []
  const lines = changes.map(({ name, before, after }) => {
    if (before === undefined) return `  + ${cut(name)}: ${cut(after)}`
    if (after === undefined) return `  - ${cut(name)}: ${cut(before)}`
    return `  ~ ${cut(name)}: ${cut(before)} → ${cut(after)}`
  })
  return [`${title}:\n${lines.join('\n')}`]
}

/** Text of an image in one short line, digests shortened, fit for a terminal. */
export function cut(text = ''): string {
  const short = text.replaceAll(/(?<=\bsha256:[0-9a-f]{12})[0-9a-f]{52}\b/g, '')
  const line = printable(short.replaceAll(/[\n\t]/g, ' '))
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`
}

/** The same as one JSON document. Paths are UTF-8, where they are none with the bytes replaced that are not. */
export function diffDocument({ layers, files, ...values }: ImageDiff): unknown {
  return {
    layers: layers.map(({ change, layer: { diffId, createdBy, ...layer } }) => ({
      change,
      ...layer,
      diff_id: diffId,
      ...(createdBy && { created_by: createdBy }),
    })),
    files: files.map(file => ({ ...file, path: pathText(file) })),
    ...values,
  }
}
