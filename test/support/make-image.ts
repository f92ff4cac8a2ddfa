import { append, configure, label, type RunConfig } from '../../src/oci/mod.ts'
import { openBases } from '../../src/platform/bases/bases.ts'
import { openMachineArchive } from '../../src/platform/machine/machine-archive.ts'
import { shippedCatalog } from '../../src/platform/shipped.ts'
import { openStore } from '../../src/platform/store.ts'
import { packTar, readAll, silent, type TarEntry } from '../../src/std/mod.ts'

/** An image to put into the store of a story: a base, and layers of files on top. */
export interface ImageOrder {
  readonly name: string
  /** `run:base`, for example; without one the image has nothing but its layers. */
  readonly base: string
  readonly config: RunConfig
  readonly labels?: Readonly<Record<string, string>>
  readonly architecture?: string
  readonly layers: readonly (readonly OrderedFile[])[]
}

export interface OrderedFile {
  readonly name: string
  readonly type?: TarEntry['type']
  readonly mode?: number
  readonly text?: string
  readonly link?: string
}

// Started by a story as its user, with SLIPWAY_HOME set and orders on stdin.
const home = process.env.SLIPWAY_HOME as string
const orders = JSON.parse((await readAll(process.stdin)).toString()) as ImageOrder[]
const store = openStore(home)
const job = { home, userHome: home, environment: process.env, report: silent, now: Date.now }
await using sources = openMachineArchive(job)
const bases = openBases({ home, store, catalog: shippedCatalog(), archive: sources.archive, report: silent })
for (const { name, base, config, labels = {}, layers, architecture } of orders) {
  const { image } = await bases.image(await bases.find(base))
  const added = []
  for (const files of layers)
    added.push({
      layer: await store.addLayer(() => packTar(files.map(entryOf))),
      history: { created_by: 'a test' },
    })
  const made = label(configure(append(image, added), config), labels)
  await store.write(
    architecture === undefined ? made : { ...made, config: { ...made.config, architecture } },
    [name],
  )
}

function entryOf({ name, type = 'file', mode, text = '', link }: OrderedFile): TarEntry {
  const content = Buffer.from(text)
  return {
    name: type === 'directory' ? `${name}/` : name,
    type,
    mode: mode ?? (type === 'directory' ? 0o755 : 0o644),
    uid: 0,
    gid: 0,
    mtime: 315532801,
    size: type === 'file' ? content.length : 0,
    ...(link !== undefined && { linkname: link }),
    ...(type === 'file' && { content }),
  }
}
