import { homedir } from 'node:os'
import { join } from 'node:path'
import { openLayout } from '#oci'
import { silent } from '#std'
import { openBases } from '../../src/platform/bases/bases.ts'
import { lifecycleFiles } from '../../src/platform/builder/lifecycle-files.ts'
import { machineArchitecture } from '../../src/platform/machine/machine-architecture.ts'
import { openSources } from '../../src/platform/machine/machine-archive.ts'
import { shippedCatalog } from '../../src/platform/shipped.ts'

/* Says, as JSON, where the files of a builder are on this machine: its base as a directory, and our lifecycle. */
const { env } = process
const home = env.SLIPWAY_HOME ?? ''
const common = { home, environment: env, report: silent }
await using sources = await openSources({ ...common, userHome: homedir(), now: Date.now })
const bases = openBases({
  ...{ ...common, store: openLayout(join(home, 'images')), catalog: shippedCatalog() },
  archive: () => sources.archive(),
})
const { directory } = await bases.root(await bases.find('build:base'))
const { files } = await lifecycleFiles({ ...common, arch: machineArchitecture(), sources })
console.log(JSON.stringify({ base: directory, files }))
