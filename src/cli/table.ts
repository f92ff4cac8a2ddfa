import { printable } from '#std'

/**
 * Lays out rows in columns: each as wide as its widest cell, `gap` blanks between, nothing after the last. Cells may come from images,
 * so control characters in them become visible and line ends blanks.
 */
export function table(rows: readonly (readonly string[])[], gap = 2, indent = ''): string {
  const cells = rows.map(row => row.map(cell => printable(cell.replaceAll(/[\n\t]/g, ' '))))
  const widths = cells.reduce<number[]>(
    (most, row) => row.map((cell, column) => Math.max(most[column] ?? 0, [...cell].length)),
    [],
  )
  return cells
    .map(row => {
      const padded = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      return `${indent}${padded.join(' '.repeat(gap))}`.trimEnd()
    })
    .join('\n')
}
