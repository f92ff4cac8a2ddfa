import { rename, rm } from 'node:fs/promises'
import { build } from 'esbuild'
import { bundleBuildpacks } from './buildpacks.ts'
import { packagesIn } from './packages-in.ts'

/** Cuts what runs from the tree: `dist/cli` (the program, split so that a command loads only what it needs) and `dist/buildpacks`. */
export async function bundleCli(outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true })
  const result = await build({
    // The thread that decompresses is started by file name, so it is a file of its own beside the rest.
    entryPoints: { main: 'src/cli/main.ts', 'unxz-worker': 'src/sources/unxz-worker.mjs' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'part-[hash]',
    metafile: true,
    sourcemap: 'linked',
    minifySyntax: true,
    legalComments: 'linked',
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
    logLevel: 'warning',
  })
  return packagesIn(result.metafile)
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
}
