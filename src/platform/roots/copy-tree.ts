import { mergeTrees } from './merge-trees.ts'

/** Copies the files of a directory, links as links, into an empty one. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mergeTrees([{ directory: from, notes: { whiteouts: [], opaque: [], implied: [] } }], to, 'copies')
}
