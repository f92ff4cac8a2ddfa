import { join } from 'node:path'
import { type Build, type BuildContext, javaComponents, Problem } from '#sdk'
import { classPathOf, type ExecutableJar, findExecutableJar } from './executable-jar.ts'
import { unpackInPlace } from './unpack-in-place.ts'

/** Starts the app's jar with `java`, in the processes `web` (default), `task` and `executable-jar`. */
export const build: Build = async context => {
  const { application, configuration, plan, launch, log } = context
  // Somebody before this buildpack has taken care of the application.
  if (!context.required('jvm-application')) return
  const found = await findExecutableJar(
    application,
    configuration.text('BP_EXECUTABLE_JAR_LOCATION'),
    log.warn,
  )
  if (found === undefined) {
    for (const { name } of plan) context.unmet(name)
    return
  }
  if ('candidates' in found) throw severalJars(found.candidates)
  const jar = await unpackedIfSpringBoot(found, context)
  const command = jar.file ? ['java', '-jar', join(application, jar.file)] : ['java', jar.mainClass]
  log.line(`Main class ${jar.mainClass} of ${jar.file ?? 'META-INF/MANIFEST.MF'}`)
  if (!jar.file) await contributeClassPath(jar, context)
  log.line('Process types:')
  for (const type of ['executable-jar', 'task', 'web']) {
    const isDefault = type === 'web'
    log.detail(`${`${type}:`.padEnd(15)} ${command.join(' ')}${isDefault ? ' (default)' : ''}`)
    launch.process({ type, command, default: isDefault })
  }
  // The jars of a Spring Boot application are listed by the buildpack for it, which knows their place.
  if (!jar.manifest.get('Spring-Boot-Version')) context.components(await javaComponents(application))
}

/** Only an unpacked Spring Boot application can be cut into slices and be given libraries. */
async function unpackedIfSpringBoot(
  jar: ExecutableJar,
  { application, log }: BuildContext,
): Promise<ExecutableJar> {
  if (!jar.file || !jar.manifest.get('Spring-Boot-Version')) return jar
  const inTheWay = await unpackInPlace(application, jar.file)
  if (inTheWay === undefined) {
    log.line(`Unpacked ${jar.file}`)
    return { mainClass: jar.mainClass, manifest: jar.manifest }
  }
  log.warn(`${jar.file} stays packed, in one layer: ${inTheWay} of the app is in the way`)
  return jar
}

async function contributeClassPath(jar: ExecutableJar, { application, layers }: BuildContext): Promise<void> {
  const classPath = classPathOf(application, jar.manifest)
  await layers.contribute('classpath', {
    title: 'Class Path',
    types: { launch: true },
    metadata: { 'class-path': classPath },
    make: async ({ environment }) => environment.launch.prepend('CLASSPATH', classPath.join(':'), ':'),
  })
}

function severalJars(candidates: readonly string[]): Problem {
  return new Problem('JARS_AMBIGUOUS', {
    what: 'Cannot choose the jar to start',
    why: `${candidates.length} of them name a main class: ${candidates.slice(0, 10).join(', ')}`,
    fix: 'Set BP_EXECUTABLE_JAR_LOCATION to the path of one, relative to the app.',
  })
}
