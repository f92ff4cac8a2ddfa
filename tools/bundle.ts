import { rm } from 'node:fs/promises'
import { build } from 'esbuild'
import { bundleBuildpacks } from './buildpacks.ts'
import { packagesIn } from './packages-in.ts'

/** Cuts what runs from the tree: `dist/cli` (the program, split so that a command loads only what it needs) and `dist/buildpacks`. */
export async function bundleCli(outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true })
  const result = await build({
    entryPoints: { main: 'src/cli/main.ts' },
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

if (process.argv[1] === import.meta.filename) {
  await bundleCli('dist/cli')
  await bundleBuildpacks('dist/buildpacks')
}
