const ours = ['../src/', '../buildpacks/'].map(place => new URL(place, import.meta.url).href)
const instead = new URL('../src/std/at-once.ts', import.meta.url).href

/** Gives our sources in tests the functions for files that the bundled program has (`tools/at-once.ts`). */
export async function resolve(specifier, context, next) {
  const from = context.parentURL ?? ''
  const wanted = specifier === 'node:fs/promises' && ours.some(place => from.startsWith(place))
  return await next(wanted && !from.startsWith(instead) ? instead : specifier, context)
}
