import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { filesAtOnce } from './at-once.ts'
import { noCollator } from './edited.ts'
import { packagesIn } from './packages-in.ts'
import { type Ready, readyOf, readyScripts } from './ready-answer.ts'

/** What goes into an order of buildpacks; `?` marks those that may stay out. */
const ORDER = [
  ['ca-certificates?', 'go', 'procfile?'],
  [
    'ca-certificates?',
    'jdk',
    'maven?',
    'executable-jar?',
    'apache-tomcat?',
    'dist-zip?',
    'spring-boot?',
    'procfile?',
  ],
  ['ca-certificates?', 'node', 'npm?', 'node-start', 'procfile?'],
  ['ca-certificates?', 'procfile'],
]

/**
 * Finds a Node.js: one that came with the buildpack, the platform's, or that of PATH. The directory is asked of the lifecycle, never of the
 * working directory, which is the app's.
 */
const script = (phase: string, answer: string) => `#!/bin/sh
${answer}directory=\${CNB_BUILDPACK_DIR:-\${0%/bin/*}}
if [ -x "$directory/node/bin/node" ]; then
  node=$directory/node/bin/node
elif [ -x /cnb/lifecycle/node/bin/node ]; then
  node=/cnb/lifecycle/node/bin/node
elif [ -f /cnb/lifecycle/node ]; then
  node=/cnb/lifecycle/node
elif node=$(command -v node); then
  :
else
  echo "ERROR: cannot run the buildpack in $directory: there is no Node.js" >&2
  echo "  Put Node.js 20 or newer on the PATH of the build image, or into $directory/node." >&2
  exit 1
fi
CNB_BUILDPACK_DIR=$directory
export CNB_BUILDPACK_DIR
exec "$node" "$directory/main.cjs" ${phase} "$@"
`

const SOURCE = 'buildpacks'

/** The ids of the buildpacks in this tree, without their namespace. */
export async function buildpackNames(): Promise<string[]> {
  const entries = await readdir(SOURCE, { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/**
 * Cuts all buildpacks to `<outdir>/slipway_<name>/<version>/`, as a lifecycle looks for them, and writes `<outdir>/order.toml`, and into `ready.json`, by id,
 * what is known of each without starting it. Returns the third-party packages that were bundled.
 */
export async function bundleBuildpacks(outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true })
  const version = await versionOf()
  const names = await buildpackNames()
  const packages: string[] = []
  const ready: Record<string, Ready> = {}
  for (const name of names) {
    const cut = await cutBuildpack(name, join(outdir, `slipway_${name}`, version), version)
    packages.push(...cut.packages)
    ready[`slipway/${name}`] = cut.ready
  }
  await writeFile(join(outdir, 'order.toml'), orderOf(version, names))
  await writeFile(join(outdir, 'ready.json'), `${JSON.stringify(ready, null, 2)}\n`)
  return [...new Set(packages)].sort()
}

export interface PackageParts {
  /** The launcher's binary for each machine, for start-up helpers under other lifecycles. */
  readonly launchers?: Readonly<Partial<Record<'amd64' | 'arm64', string>>>
}

/** Makes a directory that any CNB lifecycle can run: a buildpack with a resolver and start-up helpers of its own. */
export async function packageBuildpack(
  name: string,
  outdir: string,
  { launchers = {} }: PackageParts = {},
): Promise<void> {
  await rm(outdir, { recursive: true, force: true })
  await cutBuildpack(name, outdir, await versionOf())
  await cutResolver(outdir)
  for (const [arch, launcher] of Object.entries(launchers)) {
    await mkdir(join(outdir, 'helper'), { recursive: true })
    await copyFile(launcher, join(outdir, 'helper', `launcher-${arch}`))
    await chmod(join(outdir, 'helper', `launcher-${arch}`), 0o755)
  }
}

async function cutBuildpack(
  name: string,
  outdir: string,
  version: string,
): Promise<{ packages: string[]; ready: Ready }> {
  await mkdir(join(outdir, 'bin'), { recursive: true })
  const result = await build({
    stdin: {
      contents: [
        "import { main } from '#sdk'",
        `import { build } from './${name}/build.ts'`,
        `import { detect } from './${name}/detect.ts'`,
        'void main({ detect, build })',
      ].join('\n'),
      resolveDir: SOURCE,
      sourcefile: `${name}.ts`,
      loader: 'ts',
    },
    ...COMMON,
    // Node.js starts this sooner than a module.
    format: 'cjs',
    plugins: [noCollator, filesAtOnce(resolve('.'))],
    outfile: join(outdir, 'main.cjs'),
  })
  const descriptor = await readFile(join(SOURCE, name, 'buildpack.toml'), 'utf8')
  await writeFile(
    join(outdir, 'buildpack.toml'),
    descriptor.replace(/^version = ".*"$/m, `version = "${version}"`),
  )
  const { detect } = await import(`../${SOURCE}/${name}/detect.ts`)
  const ready = await readyOf(outdir, detect)
  for (const [phase, answer] of Object.entries(readyScripts(ready))) {
    const path = join(outdir, 'bin', phase)
    await writeFile(path, script(phase, answer))
    await chmod(path, 0o755)
  }
  return { packages: packagesIn(result.metafile), ready }
}

/**
 * Cuts what finds runtimes under lifecycles that serve none, for buildpacks to carry (`[metadata.slipway] carries`). The thread that decompresses is started by
 * file name, so it is a file of its own beside the rest.
 */
export async function cutResolver(outdir: string): Promise<void> {
  await build({
    ...MODULE,
    plugins: [noCollator, filesAtOnce(resolve('.'))],
    entryPoints: { resolver: 'src/runtimes/standalone.ts', 'unxz-worker': 'src/sources/unxz-worker.mjs' },
    outExtension: { '.js': '.mjs' },
    outdir,
  })
}

/** Cuts what authors of buildpacks import, for those that `slipway buildpack new` begins. */
export async function cutSdk(outdir: string): Promise<void> {
  await build({
    ...MODULE,
    plugins: [noCollator],
    entryPoints: { sdk: 'src/sdk/mod.ts' },
    outExtension: { '.js': '.mjs' },
    outdir,
  })
}

const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
} as const

const MODULE = {
  ...COMMON,
  format: 'esm',
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
  },
} as const

/** The order of our buildpacks as order.toml; of those that are in `names`. */
export function orderOf(version: string, names: readonly string[]): string {
  const groups = ORDER.map(group => {
    const entries = group
      .map(entry => ({ name: entry.replace('?', ''), optional: entry.endsWith('?') }))
      .filter(({ name }) => names.includes(name))
      .map(
        ({ name, optional }) =>
          `[[order.group]]\nid = "slipway/${name}"\nversion = "${version}"\n${optional ? 'optional = true\n' : ''}`,
      )
    return `[[order]]\n\n${entries.join('\n')}`
  })
  return groups.join('\n')
}

async function versionOf(): Promise<string> {
  return JSON.parse(await readFile('package.json', 'utf8')).version
}
