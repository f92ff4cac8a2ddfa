import { join } from 'node:path'
import {
  type Bill,
  type Component,
  mergeBills,
  type PartBill,
  parseCycloneDx,
  parseSpdx,
  printCycloneDx,
  printSpdx,
  purl,
} from '#bom'
import { LIFECYCLE_LABEL, parseLifecycleMetadata } from '#cnb'
import { type Image, labelsOf, type StoredImage, shortName } from '#oci'
import { isDigest, Problem, type Report, writeDurably } from '#std'
import { osPackages } from '../bases/os-packages.ts'
import { partUnknown } from '../problems.ts'
import { type SbomDocument, sbomDocuments } from './documents.ts'

/** The formats in which a whole image is described. */
export type SbomFormat = 'cyclonedx' | 'spdx'

/** What of an image is described. */
export interface SbomChoice {
  /** Only this part, such as `base`, `launcher`, `acme/node` or `acme/node:runtime`. */
  readonly part?: string | undefined
}

/** Where the parts of an image that have no bill of their own are described from. */
const BASE = 'base'

/**
 * The bill of materials of an image: the packages of its operating system and everything that its buildpacks described. Follows from the
 * image alone: its time is that of the image, its serial number comes from its content. A document in the image that cannot be read
 * is left out with a warning. Throws a `Problem` (`PART_UNKNOWN`).
 */
export async function describeImage(
  image: StoredImage,
  name: string,
  choice: SbomChoice,
  report: Report,
): Promise<Bill> {
  return (await describe(name, image, choice, report)).bill
}

/** Prints a bill in a format. */
export function printBill(bill: Bill, format: SbomFormat): string {
  return format === 'spdx' ? printSpdx(bill) : printCycloneDx(bill)
}

/**
 * Writes `image.cdx.json` and `image.spdx.json` for the whole image to a directory, and every document that is in the image below
 * `layers/sbom/launch/` and `cnb/sbom/`, unchanged. Returns the paths written, relative to the directory.
 */
export async function downloadSbom(
  image: StoredImage,
  name: string,
  directory: string,
  choice: SbomChoice,
  report: Report,
): Promise<string[]> {
  const { bill, documents } = await describe(name, image, choice, report)
  const files = [
    { path: 'image.cdx.json', text: printCycloneDx(bill) },
    { path: 'image.spdx.json', text: printSpdx(bill) },
    ...documents,
  ]
  for (const { path, text } of files) await writeDurably(join(directory, path), text)
  return files.map(({ path }) => path)
}

async function describe(name: string, image: StoredImage, { part }: SbomChoice, report: Report) {
  const all = await sbomDocuments(image)
  const bills = await billsOf(image, all, report)
  const parts = [...new Set(bills.map(each => each.part))]
  const wanted = (each: string) => part === undefined || each === part || each.startsWith(`${part}:`)
  if (part !== undefined && !parts.some(wanted)) throw partUnknown(part, name, parts)
  const { created } = image.config
  const about = { subject: subjectOf(name, image), ...(created && { created }) }
  return {
    bill: mergeBills(
      bills.filter(each => wanted(each.part)),
      about,
    ),
    documents: all.filter(each => wanted(each.part)),
  }
}

/** Every component that the bills of an image list, wherever the image is. A document that cannot be read is left out with a warning. */
export async function componentsOf(image: Image, report: Report): Promise<readonly Component[]> {
  const bills = await billsOf(image, await sbomDocuments(image), report)
  return bills.flatMap(({ bill }) => bill.components)
}

async function billsOf(image: Image, all: readonly SbomDocument[], report: Report): Promise<PartBill[]> {
  return [...(await baseBill(image, all)), ...all.flatMap(each => readDocument(each, all, report))]
}

/** Where a base has no bill of its own, the packages are read from its layers. */
async function baseBill({ layers, config }: Image, documents: readonly SbomDocument[]): Promise<PartBill[]> {
  if (documents.some(({ part }) => part === BASE)) return []
  const label = labelsOf(config)[LIFECYCLE_LABEL]
  const top =
    label === undefined ? '' : parseLifecycleMetadata(label, `the label ${LIFECYCLE_LABEL}`).runImage.topLayer
  const cut = layers.findIndex(({ diffId }) => diffId === top)
  const components = await osPackages(cut < 0 ? layers : layers.slice(0, cut + 1))
  return components.length === 0 ? [] : [{ part: BASE, bill: { components } }]
}

/** Where a part has its bill as CycloneDX, the other formats say the same once more. */
function readDocument(document: SbomDocument, all: readonly SbomDocument[], report: Report): PartBill[] {
  const { part, path, extension, text } = document
  const hasCycloneDx = all.some(each => each.part === part && each.extension === 'cdx.json')
  if (extension === 'syft.json' || (extension === 'spdx.json' && hasCycloneDx)) return []
  try {
    const bill = extension === 'cdx.json' ? parseCycloneDx(text, path) : parseSpdx(text, path)
    return [{ part, bill }]
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    report.warn(`${path} of the image is left out: ${error.why}`)
    return []
  }
}

/** The image as a component; its package URL is that of OCI artefacts (purl type `oci`). */
function subjectOf(name: string, { digest }: StoredImage): Component {
  const short = isDigest(name) ? name.slice(0, 19) : shortName(name)
  const last = /([^/:]+)(?::([^/]+))?$/.exec(isDigest(name) ? 'image' : name)
  const tag = last?.[2] ?? 'latest'
  return {
    type: 'container',
    name: short,
    version: digest,
    purl: purl({
      type: 'oci',
      name: last?.[1] ?? 'image',
      version: digest,
      ...(!isDigest(name) && { qualifiers: { tag } }),
    }),
  }
}
