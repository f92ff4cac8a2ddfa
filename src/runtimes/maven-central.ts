import { createReadStream } from 'node:fs'
import type { MavenCoordinates } from '#sources'
import { mavenPath } from '#sources'
import type { Recipe } from './recipe.ts'
import { onlyArtifact } from './recipe.ts'
import { type Relocation, relocate } from './relocate.ts'
import type { Tree } from './tree.ts'
import { refuseEscapes, stage, unpackTarGz } from './unpack.ts'
import { chooseVersion } from './versions.ts'

/** A runtime that its makers publish as one file in Maven repositories. */
interface Published {
  readonly runtime: string
  readonly revision: number
  readonly file: Omit<MavenCoordinates, 'version'>
  readonly defaultLine: string
  /** How the archive becomes a tree; absent where the file itself is the runtime. */
  readonly relocation?: Relocation
  readonly cpe: string
  readonly license: string
  readonly environment: Readonly<Record<string, string>>
}

const PUBLISHED: readonly Published[] = [
  {
    runtime: 'maven',
    revision: 1,
    file: { group: 'org.apache.maven', artifact: 'apache-maven', classifier: 'bin', extension: 'tar.gz' },
    defaultLine: '3.9',
    // Programs of other machines are left out; jline carries one library for each kind, and needs it on terminals only.
    relocation: {
      from: 'apache-maven-*',
      drop: ['lib/jansi-native/Windows', 'lib/jline-native', 'bin/*.cmd', 'README.txt'],
    },
    cpe: 'apache:maven',
    license: 'Apache-2.0',
    environment: { MAVEN_HOME: '$ROOT' },
  },
  {
    runtime: 'tomcat',
    revision: 1,
    file: { group: 'org.apache.tomcat', artifact: 'tomcat', extension: 'tar.gz' },
    defaultLine: '10.1',
    relocation: {
      from: 'apache-tomcat-*',
      // The sample applications answer to the network; nobody asked for them.
      drop: [
        'webapps/*',
        'temp/*',
        'bin/*.bat',
        'bin/*.tar.gz',
        'bin/*.exe',
        'BUILDING.txt',
        'CONTRIBUTING.md',
        'README.md',
      ],
      directories: ['webapps', 'temp', 'logs', 'work'],
    },
    cpe: 'apache:tomcat',
    license: 'Apache-2.0',
    environment: { CATALINA_HOME: '$ROOT' },
  },
  {
    runtime: 'spring-cloud-bindings',
    revision: 1,
    file: { group: 'org.springframework.cloud', artifact: 'spring-cloud-bindings', extension: 'jar' },
    defaultLine: '2',
    cpe: 'vmware:spring_cloud_bindings',
    license: 'Apache-2.0',
    environment: {},
  },
]

/** The recipe of a runtime from Maven repositories, by the runtime's name. */
export function mavenRecipe(name: string): Recipe | undefined {
  const published = PUBLISHED.find(({ runtime }) => runtime === name)
  return published && recipeOf(published)
}

function recipeOf({
  runtime,
  revision,
  file,
  defaultLine,
  relocation,
  cpe,
  license,
  environment,
}: Published): Recipe {
  return {
    id: `${runtime}@${revision}`,
    async plan({ version }, context) {
      const maven = await context.maven()
      const chosen = chooseVersion(
        runtime,
        version,
        await maven.versions(file.group, file.artifact),
        defaultLine,
      )
      const coordinates = { ...file, version: chosen }
      const artifact = {
        source: 'maven' as const,
        locator: mavenPath(coordinates),
        name: `${file.group}:${file.artifact}`,
        version: chosen,
      }
      return { version: chosen, artifacts: [{ ...artifact, fetch: () => maven.fetch(coordinates) }] }
    },
    async unpack({ artifacts, staging }) {
      const { path, locator } = onlyArtifact(artifacts)
      const files: Tree = new Map()
      if (!relocation) {
        files.set(
          locator.slice(locator.lastIndexOf('/') + 1),
          await stage(staging, createReadStream(path), false),
        )
        return files
      }
      await unpackTarGz(path, files, staging, locator)
      refuseEscapes(files, locator)
      return relocate(files, relocation, locator)
    },
    describe({ version }) {
      const type = file.classifier
        ? `classifier=${file.classifier}&type=${file.extension}`
        : `type=${file.extension}`
      return {
        purl: `pkg:maven/${file.group}/${file.artifact}@${version}${file.extension === 'jar' ? '' : `?${type}`}`,
        cpes: [`cpe:2.3:a:${cpe}:${version}:*:*:*:*:*:*:*`],
        licenses: [license],
        components: [],
        environment,
      }
    },
  }
}
