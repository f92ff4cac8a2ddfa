import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildContext, type Dependency, type Layer, removeTree } from '#sdk'

/** The words for jlink: those of the user without an output of their own, and modules if they name none. */
export function jlinkWords(given: readonly string[], modules: string): string[] {
  const words: string[] = []
  for (let index = 0; index < given.length; index++) {
    const word = given[index] as string
    if (word === '--output') index++
    else if (!word.startsWith('--output=')) words.push(word)
  }
  const named = words.some(word => word === '--add-modules' || word.startsWith('--add-modules='))
  return named ? words : [...words, '--add-modules', modules]
}

/** Cuts a runtime out of a JDK. The truststore of the JDK's modules is an older one, so the JDK's own takes its place. */
export async function linkRuntime(
  { run }: Pick<BuildContext, 'run'>,
  jdk: Dependency,
  words: readonly string[],
  layer: Layer,
): Promise<void> {
  await removeTree(layer.directory)
  await run(join(jdk.root, 'bin', 'jlink'), [...words, '--output', layer.directory], {
    // What the user sets for the app's JVM is not meant for jlink's.
    variables: { JAVA_TOOL_OPTIONS: undefined, JDK_JAVA_OPTIONS: undefined },
  })
  const cacerts = join('lib', 'security', 'cacerts')
  await copyFile(join(jdk.root, cacerts), join(layer.directory, cacerts))
}
