import { join } from 'node:path'
import type { Plugin } from 'esbuild'

/** Gives what is bundled from our sources the functions of `src/std/at-once.ts` in place of `node:fs/promises`. */
export function filesAtOnce(root: string): Plugin {
  const ours = ['src/', 'buildpacks/'].map(place => join(root, place))
  const instead = join(root, 'src/std/at-once.ts')
  return {
    name: 'files-at-once',
    setup({ onResolve }) {
      onResolve({ filter: /^node:fs\/promises$/ }, ({ importer }) =>
        ours.some(place => importer.startsWith(place)) && importer !== instead
          ? { path: instead }
          : undefined,
      )
    },
  }
}
