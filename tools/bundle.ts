import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type BuildOptions, build, type Plugin, transform } from 'esbuild'
import { digestOf } from '../src/std/mod.ts'
import { filesAtOnce } from './at-once.ts'
import { bundleBuildpacks, cutResolver, cutSdk } from './buildpacks.ts'
import { noCollator, noPrograms } from './edited.ts'
import { throughFrontDoors } from './front-doors.ts'
import { bundleLifecycle } from './lifecycle.ts'
import { packagesIn } from './packages-in.ts'

const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
} as const satisfies BuildOptions

/**
 * Cuts what runs from the tree: `dist/cli` and `dist/buildpacks`. The program is one file for each set of modules that the same commands load, in
 * `dist/cli/program`; each is the body of a function, so that `main.cjs`, which runs them, can have its compiled code kept (`src/cli/start.ts`).
 */
export async function bundleCli(outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true })
  const result = await build({
    ...COMMON,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: join(outdir, 'program'),
    chunkNames: '[hash]',
    format: 'esm',
    splitting: true,
    plugins: [
      noCollator,
      noPrograms,
      apart('openpgp'),
      filesAtOnce(resolve('.')),
      throughFrontDoors(resolve('.')),
    ],
    metafile: true,
    sourcemap: 'inline',
    write: false,
  })
  await mkdir(join(outdir, 'program'), { recursive: true })
  const program: string[] = []
  for (const { path, text } of result.outputFiles) {
    const final = path.endsWith('.js') ? await asFunction(path, text) : text
    await writeFile(path, final)
    program.push(final)
  }
  await build({
    ...COMMON,
    entryPoints: { main: 'src/cli/start.ts' },
    outdir,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { PROGRAM_DIGEST: JSON.stringify(digestOf(Buffer.from(program.join('')))) },
  })
  await build({
    ...COMMON,
    stdin: { contents: "export * from 'openpgp'", resolveDir: '.' },
    outfile: join(outdir, 'openpgp.cjs'),
    format: 'cjs',
    define: { 'import.meta.url': 'libraryUrl' },
    banner: { js: 'const libraryUrl = require("node:url").pathToFileURL(__filename).href;' },
  })
  // The thread that decompresses is started by file name, so it is a file of its own beside the rest.
  await build({
    ...COMMON,
    entryPoints: { 'unxz-worker': 'src/sources/unxz-worker.mjs' },
    outdir,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
  })
  return [...new Set([...packagesIn(result.metafile), 'openpgp'])].sort()
}

/** The module as a function that `src/cli/start.ts` calls, and its map beside it. */
async function asFunction(path: string, text: string): Promise<string> {
  const { code, map } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    legalComments: 'inline',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname' },
    banner: '(function (require, module, exports, __dirname) {',
    footer: '})',
    sourcemap: 'external',
    sourcefile: basename(path),
  })
  await writeFile(`${path}.map`, map)
  return `${code}//# sourceMappingURL=${basename(path)}.map\n`
}

/** Leaves a large library that few commands use in a file of its own. */
function apart(name: string): Plugin {
  return {
    name: `${name}-apart`,
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: `./${name}.cjs`, external: true }))
    },
  }
}

/** Makes a directory beside its place and moves it there, so that a program that runs from it meanwhile misses nothing for long. */
async function replaced(place: string, make: (directory: string) => Promise<unknown>): Promise<void> {
  const fresh = `${place}.new-${process.pid}`
  const old = `${place}.old-${process.pid}`
  await make(fresh)
  await rename(place, old).catch(() => {})
  await rename(fresh, place)
  await rm(old, { recursive: true, force: true })
}

if (process.argv[1] === import.meta.filename) {
  await replaced('dist/cli', bundleCli)
  await replaced('dist/buildpacks', bundleBuildpacks)
  await replaced('dist/resolver', cutResolver)
  await replaced('dist/sdk', cutSdk)
  await replaced('dist/lifecycle', bundleLifecycle)
}
