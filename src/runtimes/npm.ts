import { archiveRefused } from './problems.ts'
import { onlyArtifact, type Recipe } from './recipe.ts'
import { matching } from './relocate.ts'
import { place, type Tree, type TreeNode } from './tree.ts'
import { refuseEscapes, unpackTarGz } from './unpack.ts'
import { chooseInRange } from './versions.ts'

const DEFAULT_LINE = '11'
const HOME = 'lib/node_modules/npm'

/** npm itself, from the registry that it fetches from, laid out as Node.js distributions have it. It is for builds: it wants a Node.js beside it. */
export const npmRecipe: Recipe = {
  id: 'npm@1',
  async plan({ version }, context) {
    const npm = await context.npm()
    const published = await npm.versions('npm')
    const versions = published.map(each => each.version)
    const chosen = chooseInRange('npm', version, versions, [DEFAULT_LINE])
    const found = published.find(each => each.version === chosen)
    if (!found) throw new Error(`npm ${chosen} was chosen and is not there`)
    const artifact = { source: 'npm' as const, locator: `npm@${chosen}`, name: 'npm', version: chosen }
    return { version: chosen, artifacts: [{ ...artifact, fetch: () => npm.fetch(found) }] }
  },
  async unpack({ artifacts, staging }) {
    const { path, locator } = onlyArtifact(artifacts)
    const files: Tree = new Map()
    await unpackTarGz(path, files, staging, locator)
    refuseEscapes(files, locator)
    return laidOut(files, locator)
  },
  describe({ version }) {
    return {
      purl: `pkg:npm/npm@${version}`,
      cpes: [`cpe:2.3:a:npmjs:npm:${version}:*:*:*:*:*:*:*`],
      licenses: ['Artistic-2.0'],
      components: [],
      environment: {},
    }
  },
}

/** Moves `package/` to where a Node.js looks for npm, and links its programs into `bin`. */
function laidOut(files: Tree, archive: string): Tree {
  const dropped = matching(['docs', 'man', 'html', 'README.md'])
  const programs = matching(['bin/npm-cli.js', 'bin/npx-cli.js'])
  const tree: Tree = new Map()
  for (const [path, node] of files) {
    const below = /^package\/(.+)$/.exec(path)?.[1]
    if (below === undefined || node.type === 'directory' || dropped(below)) continue
    const moved: TreeNode = node.type === 'file' && programs(below) ? { ...node, executable: true } : node
    place(tree, `${HOME}/${below}`, moved, archive)
  }
  for (const name of ['npm', 'npx']) {
    if (!tree.has(`${HOME}/bin/${name}-cli.js`))
      throw archiveRefused(archive, `bin/${name}-cli.js`, 'is not in it')
    place(tree, `bin/${name}`, { type: 'symlink', target: `../${HOME}/bin/${name}-cli.js` }, archive)
  }
  return tree
}
