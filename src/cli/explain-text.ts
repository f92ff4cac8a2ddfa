import type { Explained, ExplainedLayer } from '#platform'
import { printable } from '#std'
import { cut, fileLines, pathText } from './diff-text.ts'
import { layerMaker } from './inspect-text.ts'
import { table } from './table.ts'
import { bytesText } from './terminal.ts'

/** Paths of a layer that are shown unless all are asked for. */
const FEW = 10

/** Why an image is as it is, for people. */
export function explainText(found: Explained, all: boolean): string {
  return [buildpacksText(found), baseText(found), layersText(found, all)].join('\n\n')
}

function buildpacksText({ group, record }: Explained): string {
  const members = group.map(({ id, version }) => [id, version])
  const chosen = members.length > 0 ? table(members, 2, '  ') : '  (this image was not built by buildpacks)'
  if (!record)
    return `Buildpacks:\n${chosen}\n  Why these is known only where the image was built; it was not built here.`
  const others = record.attempts.filter(({ id }) => !record.group.some(member => member.id === id))
  const rows = others.map(({ id, version, result, words }) => [
    id,
    version,
    result === 'passed' ? 'passed, but nothing needs it here' : words || RESULTS[result],
  ])
  return [
    `Buildpacks, from ${printable(record.chosenBy)}: the first group in which every one that is needed passed.`,
    chosen,
    ...(rows.length > 0 ? ['Not taken:', table(rows, 2, '  ')] : []),
    ...(record.notes.length > 0
      ? ['Groups tried before did not fit together:', ...record.notes.map(note => `  ${cut(note)}`)]
      : []),
  ].join('\n')
}

const RESULTS = {
  failed: 'did not find what it looks for',
  errored: 'failed by itself',
  'left out': 'is for other bases',
} as const

function baseText({ base: { now, before } }: Explained): string {
  if (now === '') return 'Base: not named by the image'
  if (before === undefined || before === now) return `Base: ${cut(now)}${before === now ? ', as before' : ''}`
  return `Base: ${cut(now)}\n  before: ${cut(before)}`
}

const REASONS: Readonly<Record<ExplainedLayer['reason'], string>> = {
  base: 'of the run image',
  kept: 'reused: its buildpack left it as it was',
  same: 'reused: made again with the same contents',
  first: 'new: there was no image before',
  new: 'new: the image before had no such layer',
  changed: 'made again: its contents changed',
  unknown: 'nothing is known of an image before (--against names one)',
}

function layersText({ layers }: Explained, all: boolean): string {
  const rows = table(
    layers.map(({ layer, reason }) => [layerMaker(layer), bytesText(layer.size), REASONS[reason]]),
    2,
    '  ',
  ).split('\n')
  const lines = layers.flatMap((layer, index) => [rows[index] as string, ...changesOf(layer, all)])
  return `Layers:\n${lines.join('\n')}`
}

function changesOf({ reason, metadata, files }: ExplainedLayer, all: boolean): string[] {
  if (reason !== 'changed') return []
  const said = metadata.map(
    ({ name, before = '(not there)', after = '(not there)' }) =>
      `      ${cut(name)}: ${cut(before)} → ${cut(after)}`,
  )
  if (!files) return [...said, '      the layer before cannot be read any more']
  return [...said, ...(files.length > 0 ? [fileLines(files, all ? files.length : FEW, '      ')] : [])]
}

/** The same as one JSON document. */
export function explainDocument({ group, record, layers, base }: Explained): unknown {
  return {
    buildpacks: group,
    detection: record && { chosen_by: record.chosenBy, attempts: record.attempts, notes: record.notes },
    previous: record?.previous ?? null,
    base,
    layers: layers.map(({ layer: { diffId, createdBy, ...layer }, reason, metadata, files }) => ({
      ...layer,
      diff_id: diffId,
      ...(createdBy && { created_by: createdBy }),
      ...{ reason, metadata },
      ...(files && { files: files.map(file => ({ ...file, path: pathText(file) })) }),
    })),
  }
}
