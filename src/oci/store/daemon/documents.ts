import * as v from 'valibot'
import { check, type Digest, isDigest } from '#std'
import type { History, ImageConfig, RunConfig } from '../../config.ts'

const digest = v.custom<Digest>(
  value => typeof value === 'string' && isDigest(value),
  'must be a sha256 digest',
)

const inspected = v.looseObject({
  // Podman leaves out the algorithm.
  Id: v.pipe(
    v.string(),
    v.transform(text => (/^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text)),
    digest,
  ),
  Os: v.string(),
  Architecture: v.string(),
  Variant: v.nullish(v.string()),
  Author: v.nullish(v.string()),
  Created: v.nullish(v.string()),
  Config: v.nullish(v.record(v.string(), v.unknown())),
  RootFS: v.looseObject({ Layers: v.nullish(v.array(digest), () => []) }),
})

const historyLines = v.array(
  v.looseObject({
    Created: v.nullish(v.number(), 0),
    CreatedBy: v.nullish(v.string(), ''),
    Comment: v.nullish(v.string(), ''),
    Size: v.nullish(v.number(), 0),
  }),
)

/** What a daemon says of an image. */
export interface DaemonImage {
  readonly id: Digest
  readonly config: ImageConfig
  /** Unpacked bytes of each layer; 0 where that is not known. */
  readonly sizes: readonly number[]
}

/** Keys of an image's settings (OCI image-spec config.md, and Docker's own); a daemon adds those of a container. */
const SETTINGS = [
  ...['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'WorkingDir', 'Labels', 'StopSignal'],
  ...['Healthcheck', 'OnBuild', 'Shell', 'ArgsEscaped'],
]

/**
 * The configuration of an image from the answers to `GET /images/NAME/json` and `GET /images/NAME/history`. A history that does not fit the layers
 * is left out. Throws a `Problem` (`DOCUMENT_INVALID`).
 */
export function daemonImage(image: unknown, history: unknown): DaemonImage {
  const source = 'what the container daemon says of an image'
  const { Id, Os, Architecture, Variant, Author, Created, Config, RootFS } = check(inspected, image, source)
  // Newest first.
  const lines = check(historyLines, history ?? [], source).reverse()
  const layers = RootFS.Layers
  const fitting = [lines, lines.filter(({ Size }) => Size > 0)].find(each => each.length === layers.length)
  return {
    id: Id,
    config: {
      architecture: Architecture,
      os: Os,
      ...(Variant && { variant: Variant }),
      ...(Author && { author: Author }),
      ...(Created && { created: Created }),
      config: settingsOf(Config ?? {}),
      rootfs: { type: 'layers', diff_ids: layers },
      history: (fitting ?? []).map(historyLine),
    },
    sizes: layers.map((_, index) => fitting?.[index]?.Size ?? 0),
  }
}

function settingsOf(config: Readonly<Record<string, unknown>>): RunConfig {
  const known = SETTINGS.flatMap((key): [string, unknown][] =>
    isSaid(config[key]) ? [[key, config[key]]] : [],
  )
  return Object.fromEntries(known) as RunConfig
}

function isSaid(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function historyLine({ Created, CreatedBy, Comment }: v.InferOutput<typeof historyLines>[number]): History {
  return {
    ...(Created > 0 && { created: new Date(Created * 1000).toISOString().replace('.000Z', 'Z') }),
    ...(CreatedBy && { created_by: CreatedBy }),
    ...(Comment && { comment: Comment }),
  }
}
