import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { filesAtOnce } from './at-once.ts'
import { noCollator } from './edited.ts'
import { packagesIn } from './packages-in.ts'

/** The programs that a builder's lifecycle has to have, and the one that is all of them. */
const PROGRAMS = [
  ...['analyzer', 'detector', 'restorer', 'builder', 'exporter', 'creator', 'rebaser', 'extender'],
  'lifecycle',
]

/**
 * What each program is: a start for the Node.js beside it. The kernel wants an absolute path there; that of the specification is the only place where
 * a lifecycle ever is. Which phase is meant the program's own name says.
 */
const START = `#!/cnb/lifecycle/node
import('./lifecycle.mjs')
`

/** Cuts our lifecycle to flat files, as builders have them in /cnb/lifecycle: all but Node.js and the launcher, which are of one architecture. */
export async function bundleLifecycle(outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true })
  await mkdir(outdir, { recursive: true })
  const { metafile } = await build({
    entryPoints: { lifecycle: 'src/phases/main.ts' },
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outExtension: { '.js': '.mjs' },
    plugins: [noCollator, filesAtOnce(resolve('.'))],
    metafile: true,
    minifySyntax: true,
    legalComments: 'eof',
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
    logLevel: 'warning',
  })
  for (const name of PROGRAMS) {
    await writeFile(join(outdir, name), START)
    await chmod(join(outdir, name), 0o755)
  }
  const packages = packagesIn(metafile)
  const described = await Promise.all(packages.map(describe))
  await writeFile(join(outdir, 'packages.json'), `${JSON.stringify(described, null, 2)}\n`)
  return packages
}

/** What a bill of materials says of a bundled package. */
async function describe(name: string): Promise<{ name: string; version: string; license: string }> {
  const text = await readFile(join('node_modules', name, 'package.json'), 'utf8')
  const { version, license } = JSON.parse(text) as { version: string; license: string }
  return { name, version, license }
}
