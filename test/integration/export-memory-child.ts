import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseBuildpackId } from '../../src/cnb/mod.ts'
import {
  exportCache,
  exportImage,
  LaunchFactsIndex,
  openVolumeCache,
  StatIndex,
} from '../../src/lifecycle/mod.ts'
import { append, emptyImage, openLayout } from '../../src/oci/mod.ts'
import { packTar, silent } from '../../src/std/mod.ts'

/** Exports and caches a layer and an app with a file of so many bytes each, and prints the most memory (KiB) that it took. */
const [directory, bytes] = process.argv.slice(2) as [string, string]
const place = (inside: string) => ({ host: join(directory, inside), inside })
const rules = { owner: { uid: 1001, gid: 1000 }, parents: 'fixed' } as const
const member = { id: parseBuildpackId('acme/bp', 'a test'), version: '1.0.0', api: '0.10' } as const
const metadata = { buildpacks: [member], extensions: [], labels: [], processes: [], slices: [] }

for (const name of ['layers/acme_bp/large', 'layers/config', 'workspace'])
  await mkdir(join(directory, name), { recursive: true })
for (const name of ['layers/acme_bp/large/file', 'workspace/file']) {
  await writeFile(join(directory, name), '')
  await truncate(join(directory, name), Number(bytes))
}
await writeFile(join(directory, 'layers/acme_bp/large.toml'), '[types]\nlaunch = true\ncache = true\n')
const store = openLayout(join(directory, 'store'))
const base = append(emptyImage('linux', 'amd64'), [
  { layer: await store.addLayer(() => packTar([])), history: {} },
])
const places = { app: place('/workspace'), layers: place('/layers'), platform: place('/platform') }
await exportImage({
  store,
  names: ['large'],
  places,
  rules,
  platformApi: '0.15',
  runImage: { image: base, reference: 'run' },
  buildpacks: [member],
  metadata,
  launcher: { choice: 'always', file: async () => process.execPath, info: { version: '0' } },
  execEnv: 'production',
  created: 0,
  memory: {
    stats: new StatIndex(join(directory, 'stats')),
    facts: new LaunchFactsIndex(join(directory, 'facts')),
  },
  report: silent,
})
await mkdir(join(directory, 'cache'))
const cache = await openVolumeCache(join(directory, 'cache'), { ...rules, layers: places.layers })
await exportCache({ cache, places, rules, buildpacks: [member], report: silent })
process.stdout.write(String(process.resourceUsage().maxRSS))
