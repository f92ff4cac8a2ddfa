import { chmod, copyFile, lstat, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseLayer, printLayer } from '#cnb'
import { isSystemError, printJson, readIfExists, removeTree } from '#std'
import { writeBill } from './bill.ts'
import { EnvironmentFiles } from './environment.ts'
import { copyTree, linkTree, settleModes } from './install.ts'
import type { KeptLayer, Layer, LayerPlan, Layers, LayerTypes, MadeLayer } from './layer.ts'
import type { Log } from './log.ts'
import { helperMissing, layerNameForbidden } from './problems.ts'

export interface LayersOptions {
  readonly directory: string
  /** Version of the buildpack: another version may make other content of the same metadata. */
  readonly version: string
  /** The launcher to take start-up helpers from: copied, or only pointed at. */
  readonly launcher: { readonly copy?: string; readonly link?: string }
  readonly log: Log
}

/** Opens the layers directory that a lifecycle gave to a buildpack. */
export function openLayers(options: LayersOptions): Layers {
  const { directory } = options
  return {
    directory,
    contribute: (name, plan) => contribute(name, plan, options),
    keep: (name, types = {}) => keep(name, { ...types, cache: true }, options),
    previous: name => previousOf(fileOf(directory, name)),
  }
}

async function contribute(name: string, plan: LayerPlan, options: LayersOptions): Promise<MadeLayer> {
  const place = join(options.directory, name)
  const file = fileOf(options.directory, name)
  const metadata = { 'made-by': options.version, ...plan.metadata }
  const recorded = await previousOf(file)
  const { previous, remembered: before } = apart(recorded)
  const changed = previous && firstChange(previous, metadata)
  const there = await exists(place)
  // The image keeps the content of a layer that only it sees; all others have to be here.
  const usable = there || !(plan.types.build || plan.types.cache)
  const reused = previous !== undefined && changed === undefined && usable
  if (reused) {
    options.log.line(`${plan.title}: Reusing cached layer`)
  } else {
    options.log.line(`${plan.title}: Contributing to layer${changed ? ` (${changed})` : ''}`)
    await removeTree(place)
    await make(name, place, plan, options)
  }
  const components =
    typeof plan.components === 'function' && !reused ? await plan.components() : plan.components
  if (Array.isArray(components)) await writeBill(join(options.directory, name), components)
  const remembered = (reused ? before : await plan.remember?.()) ?? {}
  const all = { ...metadata, ...(Object.keys(remembered).length > 0 && { [REMEMBERED]: remembered }) }
  await writeFile(file, printLayer({ types: flags(plan.types), metadata: all }))
  return { directory: place, reused, remembered }
}

/** Where a layer's metadata holds what its buildpack wants to know again. */
const REMEMBERED = 'remembered'

function apart(recorded: Readonly<Record<string, unknown>> | undefined) {
  const { [REMEMBERED]: remembered, ...previous } = recorded ?? {}
  const isTable = typeof remembered === 'object' && remembered !== null && !Array.isArray(remembered)
  return {
    previous: recorded && previous,
    remembered: isTable ? (remembered as Readonly<Record<string, unknown>>) : undefined,
  }
}

async function make(name: string, place: string, plan: LayerPlan, options: LayersOptions): Promise<void> {
  const { log, launcher } = options
  const environment = new EnvironmentFiles()
  await mkdir(place, { recursive: true })
  const layer: Layer = {
    name,
    directory: place,
    environment,
    async install({ root }, into = '.') {
      const target = join(place, into)
      if (plan.types.launch) await copyTree(root, target)
      else await linkTree(root, target)
    },
    startUpHelper: helper => addHelper(place, helper, launcher),
  }
  await plan.make(layer)
  await environment.write(place, written => log.detail(`Writing ${written}`))
  if (plan.types.launch) await settleModes(place)
}

/** One copy of the launcher serves all helpers of a layer: it looks at the name that it is called by. */
async function addHelper(place: string, helper: string, launcher: LayersOptions['launcher']): Promise<void> {
  await mkdir(join(place, 'exec.d'), { recursive: true })
  if (launcher.copy !== undefined) {
    const own = join(place, 'helper', 'launcher')
    if (!(await exists(own))) {
      await mkdir(join(place, 'helper'), { recursive: true })
      await copyFile(launcher.copy, own)
      await chmod(own, 0o755)
    }
    return await symlink('../helper/launcher', join(place, 'exec.d', helper))
  }
  if (launcher.link === undefined) throw helperMissing(helper)
  await symlink(launcher.link, join(place, 'exec.d', helper))
}

async function keep(name: string, types: LayerTypes, options: LayersOptions): Promise<KeptLayer> {
  const place = join(options.directory, name)
  const file = fileOf(options.directory, name)
  const there = await exists(place)
  const previous = (there ? await previousOf(file) : undefined) ?? {}
  await mkdir(place, { recursive: true })
  const record = (metadata: Readonly<Record<string, unknown>>) =>
    writeFile(file, printLayer({ types: flags(types), metadata }))
  await record(previous)
  return { directory: place, previous, record }
}

function flags({ launch = false, build = false, cache = false }: LayerTypes) {
  return { launch, build, cache }
}

function fileOf(directory: string, name: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name) || ['build', 'launch', 'store'].includes(name))
    throw layerNameForbidden(name)
  return join(directory, `${name}.toml`)
}

async function previousOf(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readIfExists(file)
  return text === undefined ? undefined : (parseLayer(text, file).metadata ?? {})
}

/** Names the first key that differs; values are shown where they are short. */
function firstChange(
  previous: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const key of new Set([...Object.keys(now), ...Object.keys(previous)])) {
    const [before, after] = [previous[key], now[key]]
    if (printed(before) === printed(after)) continue
    const short = [before, after].every(value => typeof value === 'string' && value.length <= 24)
    return short ? `${key} changed from ${before} to ${after}` : `${key} changed`
  }
  return undefined
}

function printed(value: unknown): string {
  return value === undefined ? '' : printJson(value)
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
}
