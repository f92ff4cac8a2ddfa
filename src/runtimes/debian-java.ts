import { debianComponent, debianPurl, debianTruststore, merged, plannedDeb } from './debian-packages.ts'
import type { Making, Plan, Recipe } from './recipe.ts'
import { overwrite, relocate } from './relocate.ts'
import { SERVER_MODULES } from './server-modules.ts'
import type { Tree } from './tree.ts'
import { unpackEntries } from './unpack.ts'
import { chooseVersion } from './versions.ts'

const LICENSE = 'GPL-2.0-only WITH Classpath-exception-2.0'

/** Libraries that a server's Java wants for pictures and that no base has; they go into the tree, beside Java's own. */
const LIBRARIES = [
  { from: 'libjpeg62-turbo', soname: 'libjpeg.so.62' },
  { from: 'liblcms2-2', soname: 'liblcms2.so.2' },
]

/**
 * OpenJDK as Debian builds it, without a head: the JRE, and for builds (`kit`) the JDK over it. Debian's links into /etc
 * become files, its truststore is made from Debian's CA certificates of the same release.
 *
 * Fonts, sound and smart cards stay without their libraries: they miss harfbuzz, asound and pcsclite.
 */
export function debianJava(kit: boolean, line: string, release: string): Recipe {
  const runtime = `openjdk-${line}-jre-headless`
  const own = kit ? [runtime, `openjdk-${line}-jdk-headless`] : [runtime]
  const names = [...own, ...LIBRARIES.map(({ from }) => from), 'ca-certificates']
  return {
    id: kit ? 'debian-jdk@1' : 'debian-jre@1',
    async plan({ name, version, arch }, context): Promise<Plan> {
      const debs = await context.debs()
      const found = await debs.find(release, arch, names)
      const versions = found.filter(deb => deb.name === runtime).map(deb => upstreamOf(deb.version))
      const chosen = chooseVersion(name, version, versions, line)
      const picked = names.map(wanted => {
        const deb = found.find(
          each => each.name === wanted && (!own.includes(wanted) || upstreamOf(each.version) === chosen),
        )
        if (!deb) throw new Error(`${wanted} of ${release} is not there for ${arch}`)
        return plannedDeb(deb, context)
      })
      return { version: chosen, artifacts: picked }
    },
    unpack: making => unpackJava(making, kit, line),
    describe({ version, arch, artifacts }) {
      const java = artifacts.find(({ name }) => name === runtime)
      const numbers = version.split('+')[0] ?? version
      return {
        purl: java ? debianPurl(java, arch, release) : `pkg:generic/openjdk@${version}`,
        cpes: [`cpe:2.3:a:oracle:openjdk:${numbers}:*:*:*:*:*:*:*`],
        licenses: [LICENSE],
        components: artifacts.map(artifact =>
          debianComponent(artifact, arch, release, own.includes(artifact.name) ? [LICENSE] : []),
        ),
        environment: { JAVA_HOME: '$ROOT' },
        hints: kit ? { 'jlink.modules': SERVER_MODULES.join(',') } : {},
      }
    },
    optional: ['lib/libfontmanager.so', 'lib/libjsound.so', 'lib/libj2pcsc.so', 'lib/libatk-wrapper.so'],
  }
}

async function unpackJava(
  { arch, artifacts, staging, context, version }: Making,
  kit: boolean,
  line: string,
): Promise<Tree> {
  const triplet = arch === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu'
  const debs = await context.debs()
  const files: Tree = new Map()
  for (const { path, name } of artifacts) await unpackEntries(debs.read(path), files, staging, name, merged)
  overwrite(files, 'etc/ssl/certs/java/cacerts', await debianTruststore(files, staging))

  return relocate(
    files,
    {
      from: `usr/lib/jvm/java-${line}-openjdk-${arch}`,
      drop: [
        'docs',
        'man',
        'lib/src.zip',
        'lib/jar.binfmt',
        'lib/libatk-wrapper.so',
        'lib/server/classes_nocoops.jsa',
      ].concat(kit ? [] : ['bin/jpackage']),
      add: [
        ...LIBRARIES.map(({ soname }) => ({ from: `usr/lib/${triplet}/${soname}`, to: `lib/${soname}` })),
        ...artifacts.map(({ name }) => ({
          from: `usr/share/doc/${name}/copyright`,
          to: `legal/debian/${name}`,
        })),
      ],
    },
    `OpenJDK ${version}`,
  )
}

/** The upstream part of a Debian version: `1:21.0.13+2-1~deb13u1` is `21.0.13+2`. */
export function upstreamOf(version: string): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '')
}
