/** One layer of a Spring Boot application: its name, and paths relative to the application. */
export interface IndexedLayer {
  readonly name: string
  readonly paths: readonly string[]
}

/**
 * Reads `layers.idx` (Spring Boot reference, "Layer Index"): a YAML list of one-entry maps, which Spring Boot's plugins write as
 * `- "name":` and below it `  - "path"`. Returns `undefined` for a file of another form.
 */
export function parseLayersIndex(text: string): IndexedLayer[] | undefined {
  const layers: { name: string; paths: string[] }[] = []
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#.*)?$/.test(line)) continue
    const layer = /^- (?:"([^"\\]+)"|'([^']+)'|([\w.-]+)):\s*$/.exec(line)
    const path = /^\s+- (?:"([^"\\]+)"|'([^']+)'|([^\s"'#][^"'#]*?))\s*$/.exec(line)
    const name = layer?.[1] ?? layer?.[2] ?? layer?.[3]
    const place = path?.[1] ?? path?.[2] ?? path?.[3]
    if (name !== undefined) layers.push({ name, paths: [] })
    else if (place !== undefined && layers.length > 0) layers.at(-1)?.paths.push(place)
    else return undefined
  }
  return layers
}

/** The patterns of a layer for the lifecycle, which reads them as globs: what is special there stands for itself here. */
export function slicePatterns({ paths }: IndexedLayer): string[] {
  return paths.map(path => path.replace(/\/+$/, '').replace(/[\\*?[]/g, '\\$&'))
}
