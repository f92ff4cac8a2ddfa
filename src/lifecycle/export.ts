import { rm } from 'node:fs/promises'
import type {
  BuildMetadata,
  GroupMember,
  ImageReport,
  LauncherInfo,
  LifecycleMetadata,
  PlatformApi,
  ProjectMetadata,
  RunImageNames,
} from '#cnb'
import { printReport } from '#cnb'
import type { Image, ImageStore, Layer, StoredImage } from '#oci'
import { type Report, writeDurably } from '#std'
import { appImage, baseEnvironment } from './app-image.ts'
import type { Places } from './executor.ts'
import { withExitCode } from './exit-code.ts'
import { appLabels } from './export-labels.ts'
import { type ExportedLayer, exportLayers } from './export-layers.ts'
import { processTypeUnknown } from './export-problems.ts'
import { inOrder } from './in-order.ts'
import type { LaunchFactsIndex } from './launch-facts-index.ts'
import { type LauncherChoice, plainStart } from './launcher-need.ts'
import type { LayerRules } from './layer-tar.ts'
import type { StatIndex } from './stat-index.ts'

/** The launcher that an image may get. */
export interface LauncherOptions {
  readonly choice: LauncherChoice
  /** The executable, asked for only where one is needed. */
  readonly file: () => Promise<string>
  readonly info: LauncherInfo
  /** Gives a directory with `lifecycle.sbom.<ext>` and `launcher.sbom.<ext>`, of which the image's bills of materials get copies. */
  readonly sboms?: (launcher: boolean) => Promise<string>
}

/** What an image is exported from. */
export interface ExportOptions {
  /** Where the image goes; the run image's layers have to be in it, unless that is `elsewhere`. */
  readonly store: ImageStore
  /** Names that the image gets, the first one first. */
  readonly names: readonly [string, ...string[]]
  readonly places: Places
  readonly rules: LayerRules
  readonly platformApi: PlatformApi
  readonly runImage: {
    readonly image: Image
    /** How exactly this image can be named: NAME@DIGEST. */
    readonly reference: string
    /** Under which names newer ones are found. */
    readonly names?: RunImageNames
    /** It is in another store, and what the image's store lacks of its layers is brought there meanwhile. */
    readonly elsewhere?: boolean
  }
  /** The image of an earlier build, whose layers are reused. */
  readonly previous?: { readonly image: Image; readonly metadata: LifecycleMetadata }
  readonly buildpacks: readonly GroupMember[]
  /** What is in `config/metadata.toml` of the layers directory. */
  readonly metadata: BuildMetadata
  readonly project?: ProjectMetadata
  readonly launcher: LauncherOptions
  /** The process that starts by default, where it is not the buildpacks' choice. */
  readonly processType?: string
  readonly execEnv: string
  /** Seconds since 1970 (`SOURCE_DATE_EPOCH`). */
  readonly created: number
  /** What is remembered from export to export; without it everything is read anew. */
  readonly memory?: { readonly stats: StatIndex; readonly facts: LaunchFactsIndex }
  readonly report: Report
  /** Where report.toml goes. */
  readonly reportFile?: string
  /** Called when a layer that the store does not have has been read to its end: what follows is mostly waiting, for compressors and for the store. */
  readonly whenRead?: () => void
}

/** An exported image. */
export interface Exported {
  readonly image: StoredImage
  readonly report: ImageReport
  /** The layers above the run image, bottom first. */
  readonly layers: readonly ExportedLayer[]
  /** True if the image holds a launcher. */
  readonly launcher: boolean
}

/** Exit code of a failed export (CNB platform specification, "Exporter"). */
const EXPORT = 62

/** Layers of the run image brought at a time. */
const AT_ONCE = 3

/**
 * Turns what the buildpacks made into an image in the store (CNB platform specification, "Exporter"). The layers are byte for byte those of the
 * reference lifecycle, so either reuses what the other made. Nobody sees the image before it is whole. Every failure a person can cause
 * is a `Problem` with exit code 62.
 */
export function exportImage(options: ExportOptions): Promise<Exported> {
  return withExitCode(EXPORT, async () => {
    if (options.reportFile) await rm(options.reportFile, { force: true })
    await using _lease = await options.store.lease()
    const defaultType = chooseDefault(options)
    const [{ layers, metadata, situation, launcher }, runImage] = await bothDone([
      exportLayers(options, defaultType),
      bringRunImage(options),
    ])
    const labels = labelsOf(options, metadata)
    for (const key of Object.keys(labels))
      options.report.line(`Adding label '${key.replaceAll('\n', '\\n')}'`)
    sayDefault(options.report, defaultType)

    const settings = {
      appDirectory: options.places.app.inside,
      layersDirectory: options.places.layers.inside,
      platformApi: options.platformApi,
      created: options.created,
      labels,
    }
    const base = baseEnvironment(options.runImage.image.config, settings)
    const image = appImage(
      runImage,
      layers.map(({ layer, createdBy }) => ({ layer, history: { created_by: createdBy } })),
      {
        ...settings,
        start: launcher
          ? { launcher, ...(defaultType !== undefined && { defaultType }) }
          : { launcher, ...plainStart(situation, base, options.places.app.inside) },
      },
    )
    const { image: stored, report } = await save(options, image)
    return { image: stored, report, layers, launcher }
  })
}

/** The run image with its layers in the store. */
async function bringRunImage({ runImage: { image, elsewhere }, store }: ExportOptions): Promise<Image> {
  if (!elsewhere) return image
  const tasks = image.layers.map(layer => () => store.importLayer(layer))
  const layers: Layer[] = []
  for await (const layer of inOrder(tasks, AT_ONCE)) layers.push(layer)
  return { ...image, layers }
}

/** Waits for both, so that nothing goes on in the background after a failure of one. */
async function bothDone<A, B>(works: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(works)
  return await Promise.all(works)
}

function labelsOf(
  { metadata: build, launcher, project = {}, execEnv, platformApi }: ExportOptions,
  lifecycle: LifecycleMetadata,
) {
  return appLabels({ lifecycle, build, launcher: launcher.info, project, execEnv, platformApi })
}

/** The process that starts by default: the user's choice, else the buildpacks'. */
function chooseDefault({ processType, metadata }: ExportOptions): string | undefined {
  const types = metadata.processes.map(({ type }): string => type)
  if (processType !== undefined && !types.includes(processType)) throw processTypeUnknown(processType, types)
  return processType ?? metadata.defaultProcessType
}

function sayDefault(report: Report, type: string | undefined): void {
  report.line(type === undefined ? 'no default process type' : `Setting default process type '${type}'`)
}

async function save(
  { store, names, report, reportFile }: ExportOptions,
  image: Image,
): Promise<{ image: StoredImage; report: ImageReport }> {
  report.line(`Saving ${names[0]}...`)
  const stored = await store.write(image, names)
  const { digest, imageId, manifestSize } = stored
  const told: ImageReport =
    imageId === undefined ? { tags: names, digest, manifestSize } : { tags: names, imageId }
  report.line(`*** Images (${digest}):`)
  for (const name of names) report.line(`      ${name}`)
  report.detail(imageId === undefined ? `*** Digest: ${digest}` : `*** Image ID: ${imageId}`)
  if (imageId === undefined) report.detail(`*** Manifest Size: ${manifestSize}`)
  if (reportFile) await writeDurably(reportFile, printReport(told))
  return { image: stored, report: told }
}
