import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Component } from '#bom'
import { purl } from '#bom'
import { findFiles } from '../find-files.ts'
import { componentOfJar, type Jar, parseProperties, readJar } from './jar.ts'

/**
 * What an application directory holds of Java, for bills of materials: the jars that match a pattern, and what the Maven
 * properties of an unpacked jar say of itself and of jars that were merged into it.
 */
export async function javaComponents(directory: string, pattern = '**/*.jar'): Promise<Component[]> {
  const files = await findFiles(directory, pattern)
  return await componentsOfJars(
    directory,
    await Promise.all(files.map(file => readJar(join(directory, file)))),
  )
}

/** The same for jars that were read already. */
export async function componentsOfJars(directory: string, jars: readonly Jar[]): Promise<Component[]> {
  return [...(await unpackedComponents(directory)), ...(await Promise.all(jars.map(componentOfJar)))]
}

async function unpackedComponents(directory: string): Promise<Component[]> {
  const components: Component[] = []
  for (const file of await findFiles(directory, 'META-INF/maven/*/*/pom.properties')) {
    const properties = parseProperties(await readFile(join(directory, file), 'utf8'))
    const [group, name, version] = ['groupId', 'artifactId', 'version'].map(key => properties.get(key))
    if (group && name && version)
      components.push({
        type: 'library',
        group,
        name,
        version,
        purl: purl({ type: 'maven', namespace: group, name, version }),
      })
  }
  return components
}
