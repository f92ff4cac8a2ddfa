import { type Build, type BuildContext, type Dependency, Problem } from '#sdk'
import { wantedNode } from './version.ts'

/** Provides what the plan asks for: Node.js in the image, and while building, there together with npm. */
export const build: Build = async context => {
  const { log, required, dependency } = context
  const wanted = required('node')
  const npm = required('npm')
  if (!wanted && !npm) return
  const { version, from } = await wantedNode(context)
  const node = await dependency({ name: 'node', version })
  log.line(`Using Node.js ${node.version} (${from})`)
  if (wanted?.launch === true) await contributeRuntime(context, node)
  if (wanted?.build !== true && !npm) return
  // Headers are for packages that compile; they are of the same version, so the same file has them.
  const kit =
    wanted?.headers === true
      ? await dependency({ name: 'node', version: node.version, options: { headers: true } })
      : node
  await contributeKit(context, kit)
  if (npm) await contributeNpm(context, node.version, npm)
}

async function contributeRuntime({ layers }: BuildContext, node: Dependency): Promise<void> {
  await layers.contribute('node', {
    title: `Node.js ${node.version}`,
    types: { launch: true },
    metadata: { version: node.version, digest: node.digest },
    components: node.components,
    async make(layer) {
      await layer.install(node)
      layer.environment.launch.default('NODE_ENV', 'production')
      // The authorities of the base and of bindings count, in place of those that were compiled in: a rebase brings newer ones.
      layer.environment.launch.prepend('NODE_OPTIONS', '--use-openssl-ca', ' ')
    },
  })
}

async function contributeKit({ layers }: BuildContext, node: Dependency): Promise<void> {
  await layers.contribute('kit', {
    title: `Node.js ${node.version} for the build`,
    types: { build: true, cache: true },
    metadata: { version: node.version, digest: node.digest, root: node.root },
    async make(layer) {
      await layer.install(node)
      layer.environment.build.override('NODE_HOME', layer.directory)
    },
  })
}

async function contributeNpm(
  { layers, dependency }: BuildContext,
  node: string,
  { version }: Readonly<Record<string, unknown>>,
): Promise<void> {
  const wanted = typeof version === 'string' && version !== '' ? version : npmFor(node)
  const npm = await dependency({ name: 'npm', version: wanted })
  await layers.contribute('npm', {
    title: `npm ${npm.version} for the build`,
    types: { build: true, cache: true },
    metadata: { version: npm.version, digest: npm.digest, root: npm.root },
    make: layer => layer.install(npm),
  })
}

/** The npm that runs on a Node.js (`engines` in the package.json of npm 8 to 11). */
export function npmFor(node: string): string {
  const [line = 0, minor = 0] = node.split('.').map(Number)
  if (line >= 23 || (line === 22 && minor >= 9) || (line === 20 && minor >= 17)) return '11'
  if (line >= 21 || (line === 20 && minor >= 5) || (line === 18 && minor >= 17)) return '10'
  if (line >= 18 || (line === 16 && minor >= 13) || (line === 14 && minor >= 17)) return '9'
  if (line === 14 || line === 16) return '8'
  throw new Problem('NODE_WITHOUT_NPM', {
    what: `Cannot build with Node.js ${node}`,
    why: 'there is no npm for it that reads the lock files of today',
    fix: 'Ask for Node.js 14 or newer, in engines of package.json or with BP_NODE_VERSION.',
  })
}
