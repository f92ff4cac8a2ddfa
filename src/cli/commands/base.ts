import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Architecture } from '#os'
import {
  type BaseJobOptions,
  buildBase,
  type LockedBase,
  listBases,
  lockBases,
  machineArchitecture,
  type WantedBase,
} from '#platform'
import { Problem, printJson, type Report } from '#std'
import { command, type Surroundings } from '../command.ts'
import { table } from '../table.ts'
import { bytesText } from '../terminal.ts'

const release = { value: 'NAME', help: 'release of Debian: trixie (default) or bookworm' }
const recipe = { value: 'FILE', help: 'a recipe of your own instead of a named base' }

/** `slipway base lock`. */
export const lock = command({
  summary: 'Resolve the packages of a base image and record them',
  arguments: { name: { optional: true, help: 'a base, such as run:base' } },
  options: {
    recipe,
    release,
    arch: {
      value: 'ARCH',
      multiple: true,
      help: "amd64 or arm64; may be repeated (default: this machine's)",
    },
    output: { value: 'FILE', short: 'o', help: 'lock file to write (default: beside the recipe)' },
  },
  examples: ['base lock run:base', 'base lock --recipe images/shop.toml --arch amd64 --arch arm64'],
  async run(input, surroundings) {
    const base = wantedBase(input.name, input.recipe, surroundings)
    const given = input.arch.map(architectureOf)
    const architectures = given.length > 0 ? given : [machineArchitecture()]
    const output = input.output && resolve(surroundings.workingDirectory, input.output)
    const locked = await lockBases(
      { base, release: input.release },
      architectures,
      output,
      jobOf(surroundings),
    )
    for (const each of locked) describe(each, surroundings.report)
    const [first] = locked
    if (first) surroundings.print(first.file)
    return 0
  },
})

/** `slipway base build`. */
export const build = command({
  summary: 'Assemble a base image from its lock',
  arguments: { base: { help: 'a base, such as run:base, or the recipe of one (FILE.toml)' } },
  options: {
    tag: {
      value: 'IMAGE',
      short: 't',
      multiple: true,
      help: 'name of the image (default: that of the base)',
    },
    release,
    arch: { value: 'ARCH', help: "amd64 or arm64 (default: this machine's)" },
    newest: { help: 'choose the newest signed packages instead of those of the lock' },
    locked: { help: 'refuse whatever the lock does not name' },
  },
  examples: [
    'base build run:base',
    'base build build:base --release bookworm',
    'base build shop.toml -t shop/run',
  ],
  async run(input, surroundings) {
    const base = wantedBase(input.base, undefined, surroundings)
    const arch = input.arch === undefined ? undefined : architectureOf(input.arch)
    const made = await buildBase(
      { base, release: input.release, arch },
      { newest: input.newest, locked: input.locked, names: input.tag },
      jobOf(surroundings),
    )
    const { image, reference, lock: pinned } = made
    const size = image.layers.reduce((sum, { blob }) => sum + blob.size, 0)
    const names = input.tag.length > 0 ? input.tag.join(', ') : reference
    const { release: of, arch: machine, packages } = pinned
    surroundings.report.line(
      `${names}: Debian ${of} for ${machine}, ${packages.length} packages, ${bytesText(size)}`,
    )
    surroundings.print(image.digest)
    return 0
  },
})

/** `slipway base list`. */
export const list = command({
  summary: 'List the base images that slipway knows',
  arguments: {},
  options: { json: { help: 'print one JSON document' } },
  examples: ['base list'],
  async run({ json }, { home, print }) {
    const bases = await listBases({ home })
    if (json) {
      print(printJson(bases).trimEnd())
      return 0
    }
    const rows = bases.map(({ name, release: of, locked, image, summary }) => [
      name,
      of,
      locked ? `${locked.packages} packages of ${locked.date}` : 'not locked',
      image ? image.slice('sha256:'.length, 'sha256:'.length + 12) : '-',
      summary,
    ])
    print(table([['NAME', 'RELEASE', 'LOCK', 'IN STORE', 'SUMMARY'], ...rows]))
    return 0
  },
})

function describe({ lock, changes, fresh }: LockedBase, report: Report): void {
  const { name, release: of, arch, packages } = lock
  const size = packages.reduce((sum, each) => sum + each.size, 0)
  const news = fresh ? '' : changes.length > 0 ? `, ${changes.length} changed:` : ', nothing changed'
  report.line(`${name}: Debian ${of} for ${arch}, ${packages.length} packages, ${bytesText(size)}${news}`)
  for (const change of changes) report.line(`  ${change}`)
}

function wantedBase(
  name: string | undefined,
  file: string | undefined,
  { workingDirectory }: Surroundings,
): WantedBase['base'] {
  const path = file ?? (name?.endsWith('.toml') ? name : undefined)
  if (path !== undefined && (file === undefined || name === undefined))
    return { recipe: resolve(workingDirectory, path) }
  if (name !== undefined && file === undefined) return { name }
  throw new Problem('BASE_NAME_MISSING', {
    what: 'Cannot tell which base is meant',
    why: name === undefined ? 'neither a name nor a recipe was given' : 'both a name and a recipe were given',
    fix: 'Give the name of a base (slipway base list shows them) or --recipe FILE.',
    exitCode: 2,
  })
}

function architectureOf(text: string): Architecture {
  if (text === 'amd64' || text === 'arm64') return text
  throw new Problem('BASE_ARCHITECTURE_UNKNOWN', {
    what: `Cannot make a base for ${JSON.stringify(text)}`,
    why: 'bases are made for amd64 and arm64',
    fix: 'Give --arch amd64 or --arch arm64.',
    exitCode: 2,
  })
}

function jobOf({ home, environment, report, signal }: Surroundings): BaseJobOptions {
  return { home, userHome: environment.HOME ?? homedir(), environment, report, signal, now: Date.now }
}
