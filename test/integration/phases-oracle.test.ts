import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  escapeId,
  inheritedEnvironment,
  parseBuildpack,
  parseBuildpackId,
  parseBuildpackPlan,
  parseGroup,
  parseMetadata,
  parseOrder,
  parsePlan,
} from '../../src/cnb/mod.ts'
import { build } from '../../src/lifecycle/build.ts'
import { detect } from '../../src/lifecycle/detect.ts'
import type { BuildpackSource, Place } from '../../src/lifecycle/executor.ts'
import { plainExecutor } from '../../src/lifecycle/shell-buildpacks.testing.ts'
import { Problem, printToml, silent, type TemporaryDirectory, temporaryDirectory } from '../../src/std/mod.ts'

/**
 * The reference lifecycle detects and builds with the same random buildpacks; groups, plans, what each bin/build is handed, and all that is
 * written down have to agree. Needs Go, and the Go module of the reference from its module cache or proxy. Left out are inputs on which
 * slipway means to differ (docs and contract: optional buildpacks for other bases, bills of layers with dots in their names, process types).
 */

/** A buildpack: what its bin/detect ends with and plans, or the groups of a composite; and what its bin/build leaves. */
interface Buildpack {
  readonly api: string
  readonly toml: string
  readonly code: number
  readonly plan: readonly Section[]
  readonly composite?: readonly Group[]
  readonly files: Readonly<Record<string, string>>
}
interface Section {
  readonly provides: readonly string[]
  readonly requires: readonly string[]
}
type Group = readonly { readonly index: number; readonly optional: boolean }[]
interface Case {
  readonly buildpacks: readonly Buildpack[]
  readonly order: readonly Group[]
  readonly platformApi: '0.12' | '0.13' | '0.14' | '0.15'
  readonly user: Readonly<Record<string, string>>
  readonly operator: Readonly<Record<string, string>>
}

const VERSION = '1.0.0'
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/home/cnb', no_proxy: 'x' }
const SEED = 20260821
const idOf = (index: number) => `acme/b${index}`

let directory: TemporaryDirectory
let missing: string | undefined
before(async () => {
  directory = await temporaryDirectory(tmpdir(), 'oracle-')
  chmodSync(directory.path, 0o755)
  try {
    const options = {
      cwd: join(import.meta.dirname, '../oracle-phases'),
      stdio: 'pipe',
      timeout: 300_000,
    } as const
    execFileSync('go', ['build', '-o', join(directory.path, 'oracle'), '.'], options)
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    missing = code === 'ENOENT' ? 'there is no Go on this machine' : `the oracle does not build: ${stderr}`
  }
})
after(() => directory[Symbol.asyncDispose]())

const placesOf = (root: string) => {
  const place = (name: string): Place => ({ host: join(root, name), inside: join(root, name) })
  return {
    app: place('app'),
    layers: place('layers'),
    platform: place('platform'),
    buildConfig: place('build-config'),
  }
}

function write(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

const groupTable = (group: Group) => ({
  group: group.map(({ index, optional }) => ({ id: idOf(index), version: VERSION, optional })),
})

/** Everything that a lifecycle finds; what an earlier one left is gone. */
function prepare(root: string, { buildpacks, order, user, operator }: Case): void {
  rmSync(root, { recursive: true, force: true })
  const places = placesOf(root)
  mkdirSync(places.app.host, { recursive: true })
  write(join(places.layers.host, 'order.toml'), printToml({ order: order.map(groupTable) }))
  const target = { os: 'linux', arch: 'amd64', distro: { name: 'debian', version: '13' } }
  write(join(places.layers.host, 'analyzed.toml'), printToml({ 'run-image': { reference: 'r', target } }))
  for (const [name, content] of Object.entries(user)) write(join(places.platform.host, 'env', name), content)
  for (const [name, content] of Object.entries(operator))
    write(join(places.buildConfig.host, 'env', name), content)
  for (const [index, buildpack] of buildpacks.entries()) writeBuildpack(root, index, buildpack)
}

function writeBuildpack(
  root: string,
  index: number,
  { api, toml, code, plan, composite, files }: Buildpack,
): void {
  const host = join(root, 'buildpacks', idOf(index).replace('/', '_'), VERSION)
  const about = `api = "${api}"\n[buildpack]\nid = "${idOf(index)}"\nversion = "${VERSION}"\n`
  if (composite) {
    write(join(host, 'buildpack.toml'), `${about}${printToml({ order: composite.map(groupTable) })}`)
    return
  }
  write(join(host, 'buildpack.toml'), `${about}${toml}`)
  const [main, ...or] = plan.map(({ provides, requires }) => ({
    provides: provides.map(name => ({ name })),
    requires: requires.map(name => ({ name, metadata: { by: idOf(index) } })),
  }))
  write(join(host, 'plan.toml'), printToml({ ...main, ...(or.length > 0 && { or }) }))
  for (const [name, content] of Object.entries(files)) write(join(host, 'out', name), content)
  const detectScript = `/bin/cp "$CNB_BUILDPACK_DIR/plan.toml" "$2"; exit ${code}`
  write(join(host, 'bin/detect'), `#!/bin/sh\n${detectScript}\n`, 0o755)
  // A case may have any PATH.
  const keep = '/usr/bin/env > "$CNB_BUILDPACK_DIR/env"; /bin/cp "$3" "$CNB_BUILDPACK_DIR/handed.toml"'
  const leave = 'if [ -d "$CNB_BUILDPACK_DIR/out" ]; then /bin/cp -r "$CNB_BUILDPACK_DIR/out/." "$1"; fi'
  write(join(host, 'bin/build'), `#!/bin/sh\n${keep}\n${leave}\n`, 0o755)
}

/** All that a lifecycle left behind, comparable. */
function results(root: string, count: number) {
  const text = (...path: string[]) => {
    const file = join(root, ...path)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const handed = Array.from({ length: count }, (_, index) => {
    const place = ['buildpacks', idOf(index).replace('/', '_'), VERSION]
    const plan = text(...place, 'handed.toml')
    return {
      env: variables(text(...place, 'env')),
      plan: plan === undefined ? [] : sorted(parseBuildpackPlan(plan, 'x')),
    }
  })
  const metadata = text('layers/config/metadata.toml')
  return plain({
    group: parseGroup(text('layers/group.toml') ?? '', 'group.toml'),
    plan: sorted(parsePlan(text('layers/plan.toml') ?? '', 'plan.toml')),
    handed,
    metadata: metadata === undefined ? undefined : parseMetadata(metadata, 'metadata.toml'),
    tree: treeOf(join(root, 'layers')),
  })
}

/** Variables that a shell sets, and the plan's temporary place, say nothing. */
function variables(text: string | undefined): string[] {
  const lines =
    text?.split('\n').filter(line => !/^(?:PWD|OLDPWD|SHLVL|_|CNB_BP_PLAN_PATH)=/.test(line)) ?? []
  return lines.toSorted()
}

/** Files below the layers of buildpacks and the bills, with their contents. */
function treeOf(layers: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(layers, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(layers.length + 1)
    if (!name.includes('/') || name.startsWith('config')) continue
    found[name] = entry.isFile() ? readFileSync(path, 'utf8') : ''
  }
  return found
}

const sorted = (list: readonly unknown[]) => list.map(each => JSON.stringify(each)).toSorted()
const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

/** What slipway makes of a case: the exit codes of its phases. */
async function ours(root: string, { platformApi }: Case): Promise<{ Detect: number; Build: number }> {
  const places = placesOf(root)
  const buildpacks: BuildpackSource = {
    async find(id, version) {
      const host = join(root, 'buildpacks', escapeId(parseBuildpackId(id, 'x')), version)
      const file = join(host, 'buildpack.toml')
      return { descriptor: parseBuildpack(readFileSync(file, 'utf8'), file), root: { host, inside: host } }
    },
  }
  const target = { os: 'linux', arch: 'amd64', distro: { name: 'debian', version: '13' } }
  const environment = inheritedEnvironment(ENVIRONMENT)
  const common = {
    report: silent,
    places,
    executor: plainExecutor,
    buildpacks,
    target,
    platformApi,
    environment,
  }
  const order = parseOrder(readFileSync(join(places.layers.host, 'order.toml'), 'utf8'), 'order.toml').order
  let phase: 'Detect' | 'Build' = 'Detect'
  try {
    const { group, plan } = await detect({ ...common, order })
    phase = 'Build'
    await build({ ...common, group, plan })
    return { Detect: 0, Build: 0 }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { Detect: 0, Build: 0, [phase]: error.exitCode }
  }
}

async function compare(cases: readonly Case[]): Promise<Record<string, number>> {
  const roots = cases.map((_, index) => join(directory.path, `case-${index}`))
  const jobs = cases.map((each, index) => {
    const root = roots[index] as string
    prepare(root, each)
    const { app, layers, platform, buildConfig } = placesOf(root)
    const paths = {
      App: app.host,
      Layers: layers.host,
      Platform: platform.host,
      BuildConfig: buildConfig.host,
    }
    const rest = { PlatformAPI: each.platformApi, ExecEnv: 'production', Build: true }
    return { ...paths, Buildpacks: join(root, 'buildpacks'), ...rest }
  })
  const options = { input: JSON.stringify(jobs), env: ENVIRONMENT, maxBuffer: 64 << 20 }
  const oracle = execFileSync(join(directory.path, 'oracle'), options).toString()
  const told = JSON.parse(oracle.slice(oracle.lastIndexOf('\n[') + 1))
  const words = oracle.split(/^--- case \d+\n/m).slice(1)
  const outcomes: Record<string, number> = {}
  for (const [index, each] of cases.entries()) {
    const root = roots[index] as string
    const count = each.buildpacks.length
    const theirs = { codes: told[index], ...results(root, count) }
    prepare(root, each)
    const mine = { codes: await ours(root, each), ...results(root, count) }
    const shown = `${JSON.stringify(each, null, 1)}\nThe reference said:\n${words[index]}`
    // Once a build has failed, what it left is of no use.
    const key = `detect ${told[index].Detect}, build ${told[index].Build}`
    const built = told[index].Detect === 0 && told[index].Build === 0
    if (built) assert.ok(theirs.handed.some(({ env }) => env.length > 0) && theirs.metadata, shown)
    if (told[index].Build === 0) assert.deepEqual(mine, theirs, shown)
    else assert.deepEqual(mine.codes, theirs.codes, shown)
    outcomes[key] = (outcomes[key] ?? 0) + 1
    rmSync(root, { recursive: true, force: true })
  }
  return outcomes
}

const name = fc.constantFrom('x', 'y', 'z')
const section = fc.record({
  provides: fc.uniqueArray(name, { maxLength: 2 }),
  requires: fc.uniqueArray(name, { maxLength: 2 }),
})
const groupOf = (most: number) =>
  fc.array(fc.record({ index: fc.nat({ max: most - 1 }), optional: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
const orderOf = (most: number) => fc.array(groupOf(most), { minLength: 1, maxLength: 3 })
const platformApi = fc.constantFrom('0.12' as const, '0.13' as const, '0.14' as const, '0.15' as const)
const weighted = <Value>(...pairs: [number, Value][]) =>
  fc.oneof(...pairs.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))

const LEAVES = 5
const detectable: fc.Arbitrary<Buildpack> = fc.record({
  api: fc.constantFrom('0.7', '0.10', '0.12'),
  toml: weighted([8, ''], [1, 'exec-env = ["test"]\n'], [1, 'exec-env = ["*"]\n']),
  code: weighted([7, 0], [2, 100], [1, 1]),
  plan: fc.array(section, { minLength: 1, maxLength: 3 }),
  files: fc.constant({}),
})
const detection: fc.Arbitrary<Case> = fc.record({
  buildpacks: fc
    .tuple(
      fc.array(detectable, { minLength: LEAVES, maxLength: LEAVES }),
      fc.array(orderOf(LEAVES), { maxLength: 2 }),
    )
    .map(([leaves, composites]) => [
      ...leaves,
      ...composites.map(composite => ({ api: '0.10', toml: '', code: 0, plan: [], files: {}, composite })),
      ...Array.from({ length: 2 - composites.length }, () => leaves[0] as Buildpack),
    ]),
  order: orderOf(LEAVES + 2),
  platformApi,
  user: fc.constant({}),
  operator: fc.constant({}),
})

const variable = fc.constantFrom('A', 'B', 'PATH', 'CPATH')
const suffix = fc.constantFrom(
  '',
  '.append',
  '.prepend',
  '.default',
  '.override',
  '.delim',
  '.frob',
  '.append.x',
)
const value = fc.constantFrom('1', '2', ':', ' ', '', 'a b')
const variableFiles = fc
  .array(fc.tuple(variable, suffix, value), { maxLength: 5 })
  .map(list => Object.fromEntries(list.map(([which, how, what]) => [`${which}${how}`, what])))
const layerNames = fc.constantFrom('a', 'a-b', 'b', 'c')
const layerFiles = fc
  .record({
    layer: layerNames,
    types: fc.subarray(['launch', 'build', 'cache']),
    version: fc.option(fc.nat({ max: 99 }), { nil: undefined }),
    directories: fc.subarray(['bin', 'lib', 'include', 'pkgconfig', 'share']),
    env: variableFiles,
    envBuild: variableFiles,
    envLaunch: variableFiles,
    bill: fc.boolean(),
    contents: fc.boolean(),
  })
  .map(({ layer, types, version, directories, env, envBuild, envLaunch, bill, contents }) => {
    const files = (place: string, list: Record<string, string>) =>
      Object.entries(list).map(([file, content]) => [`${layer}/${place}/${file}`, content])
    const metadata = version === undefined ? '' : `[metadata]\nversion = ${version}\n`
    return Object.fromEntries([
      [`${layer}.toml`, `[types]\n${types.map(type => `${type} = true\n`).join('')}${metadata}`],
      ...(bill ? [[`${layer}.sbom.cdx.json`, `{"${layer}":1}`]] : []),
      ...(contents ? directories.map(each => [`${layer}/${each}/file`, each]) : []),
      ...(contents
        ? [...files('env', env), ...files('env.build', envBuild), ...files('env.launch', envLaunch)]
        : []),
    ]) as Record<string, string>
  })
const process = fc.record({
  type: fc.constantFrom('web', 'worker', 'task.x'),
  args: fc.option(fc.constant(['a', 'b c']), { nil: undefined }),
  default: fc.option(fc.boolean(), { nil: undefined }),
  'working-dir': fc.option(fc.constantFrom('/tmp', 'sub'), { nil: undefined }),
})
const launch = fc.record({
  processes: fc.array(process, { maxLength: 3 }),
  labels: fc.array(fc.record({ key: fc.constantFrom('k', 'l'), value: fc.constantFrom('1', '') }), {
    maxLength: 2,
  }),
  slices: fc.array(fc.record({ paths: fc.constantFrom(['a/*'], ['b', 'c']) }), { maxLength: 2 }),
  bom: fc.array(fc.record({ name: fc.constant('<jre>'), metadata: fc.constant({ b: 1, a: ['&'] }) }), {
    maxLength: 1,
  }),
})
/** Plans that mostly fit together. */
const plans = weighted<Section[]>(
  [2, [{ provides: [], requires: [] }]],
  [3, [{ provides: ['x'], requires: ['x'] }]],
  [2, [{ provides: [], requires: ['x'] }]],
  [2, [{ provides: ['y', 'x'], requires: ['x', 'y'] }]],
)
const buildable: fc.Arbitrary<Buildpack> = fc
  .record({
    api: fc.constantFrom('0.7', '0.8', '0.9', '0.10', '0.11', '0.12'),
    clear: weighted([4, false], [1, true]),
    declared: weighted([15, true], [1, false]),
    plan: plans,
    layers: fc.array(layerFiles, { maxLength: 3 }),
    launch: fc.option(launch, { nil: undefined }),
    unmet: fc.option(fc.constant('x'), { nil: undefined, freq: 1 }),
    extra: weighted<Record<string, string>>(
      [30, {}],
      [4, { 'launch.sbom.cdx.json': '{}', 'store.toml': '[metadata]\na = 1\n' }],
      [1, { 'x.toml': 'launch = true\n' }],
      [1, { 'launch.sbom.foo.json': '{}' }],
      [1, { 'gone.sbom.foo.json': '{}', 'loose/file': '' }],
      [1, { 'x.toml': '[[' }],
    ),
  })
  .map(({ api, clear, declared, plan, layers, launch: asked, unmet, extra }) => {
    const listed = Number(api.slice(2)) >= 9
    const toml = (table: object) => printToml(JSON.parse(JSON.stringify(table)))
    const processes = asked?.processes.map(each => ({ ...each, command: listed ? ['run', '-x'] : 'run -x' }))
    const formats = declared ? 'sbom-formats = ["application/vnd.cyclonedx+json;version=1.4"]\n' : ''
    return {
      api,
      toml: `clear-env = ${clear}\n${formats}`,
      code: 0,
      plan,
      files: {
        ...Object.assign({}, ...layers),
        ...(asked && { 'launch.toml': toml({ ...asked, processes }) }),
        ...(unmet && { 'build.toml': toml({ unmet: [{ name: unmet }] }) }),
        ...extra,
      },
    }
  })
const building: fc.Arbitrary<Case> = fc.record({
  buildpacks: fc
    .array(buildable, { minLength: 4, maxLength: 4 })
    .map(([first, ...others]) => [
      { ...(first as Buildpack), plan: [{ provides: [], requires: [] }] },
      ...others,
    ]),
  order: fc.constant([[0, 1, 2, 3].map(index => ({ index, optional: index > 0 }))]),
  platformApi,
  user: variableFiles,
  operator: variableFiles,
})

describe('the reference lifecycle', () => {
  it('finds the same groups and plans', async t => {
    if (missing) return t.skip(missing)
    const outcomes = await compare(fc.sample(detection, { numRuns: 60, seed: SEED }))
    t.diagnostic(JSON.stringify(outcomes))
    for (const code of [0, 20, 21])
      assert.ok(outcomes[`detect ${code}, build 0`], `no case ended with ${code}`)
  })

  it('hands the same to bin/build, and makes the same of what it leaves', async t => {
    if (missing) return t.skip(missing)
    const outcomes = await compare(fc.sample(building, { numRuns: 60, seed: SEED }))
    t.diagnostic(JSON.stringify(outcomes))
    for (const code of [0, 52]) assert.ok(outcomes[`detect 0, build ${code}`], `no case ended with ${code}`)
  })
})
