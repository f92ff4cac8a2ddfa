import { stat } from 'node:fs/promises'
import type { Artifact } from '#sources'
import { parseDigest } from '#std'
import type { RuntimeContext } from './context.ts'
import { artifactGone } from './problems.ts'
import type { LockedArtifact } from './runtime.ts'

/** The very file that a lock names: from the local store, else from where it was found, compared by sha256. */
export async function fetchLocked(artifact: LockedArtifact, context: RuntimeContext): Promise<Artifact> {
  const { source, locator, name, version, sha256 } = artifact
  const digest = parseDigest(`sha256:${sha256}`, 'slipway.lock')
  const path = await context.artifacts.path(digest)
  if (path !== undefined) return { digest, path, size: (await stat(path)).size }
  switch (source) {
    case 'deb':
      return (await context.debs()).fetch({ ...artifact, path: locator })
    case 'go':
      // A proxy may have packed it otherwise; what is in it is checked by Go's database, and by the tree that is locked.
      return (await context.goModules()).fetch({ path: name, version: locator.slice(name.length + 1) })
    case 'maven':
      return (await context.maven()).fetchPath(locator, sha256)
    case 'npm': {
      const npm = await context.npm()
      const found = (await npm.versions(name)).find(published => published.version === version)
      if (!found) throw artifactGone(locator)
      return npm.fetch(found, sha256)
    }
    case 'pypi': {
      const pypi = await context.pypi()
      const found = (await pypi.files(name)).find(file => file.name === locator && file.sha256 === sha256)
      if (!found) throw artifactGone(locator)
      return pypi.fetch(found)
    }
  }
}
