import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Build, type BuildContext, type Dependency, explodeZip, javaComponents } from '#sdk'
import { findApplications, type WebApplication } from './applications.ts'
import { contextXml, LOGGING_PROPERTIES, SERVER_XML, startOptions } from './configuration.ts'

/** Puts Tomcat and its configuration beside the app, and starts it in the processes `web` (default), `task` and `tomcat`. */
export const build: Build = async context => {
  const { application, configuration, plan, launch, log } = context
  // Somebody before this buildpack has taken care of the application.
  if (!context.required('jvm-application')) return
  const found = await findApplications(application, configuration.text('BP_TOMCAT_CONTEXT_PATH'))
  if (found.length === 0) {
    for (const { name } of plan) context.unmet(name)
    return
  }
  for (const each of found) await unpack(each, application)
  const tomcat = await context.dependency({
    name: 'tomcat',
    version: configuration.text('BP_TOMCAT_VERSION'),
  })
  const home = await contributeHome(tomcat, context)
  const base = await contributeBase(tomcat, home, found, context)
  for (const { context: name, directory } of found)
    log.line(
      `Serving ${directory || 'the application'} at /${name === 'ROOT' ? '' : name.replaceAll('#', '/')}`,
    )
  const command = ['java', `@${base}/conf/start.options`]
  for (const type of ['task', 'tomcat', 'web']) launch.process({ type, command, default: type === 'web' })
  for (const { directory } of found) context.components(await javaComponents(join(application, directory)))
}

/** A WAR file becomes a directory of its name, and is gone. */
async function unpack({ file, directory }: WebApplication, application: string): Promise<void> {
  if (!file) return
  await explodeZip(join(application, file), join(application, directory))
  await rm(join(application, file))
}

async function contributeHome(tomcat: Dependency, { layers }: BuildContext): Promise<string> {
  const { directory } = await layers.contribute('tomcat', {
    title: `Apache Tomcat ${tomcat.version}`,
    types: { launch: true },
    metadata: { version: tomcat.version, digest: tomcat.digest },
    components: tomcat.components,
    async make(layer) {
      await layer.install(tomcat)
      layer.environment.launch.default('CATALINA_HOME', layer.directory)
    },
  })
  return directory
}

async function contributeBase(
  tomcat: Dependency,
  home: string,
  applications: readonly WebApplication[],
  { application, layers }: BuildContext,
): Promise<string> {
  const contexts = applications.map(
    ({ context, directory }) => [context, join(application, directory)] as const,
  )
  const { directory } = await layers.contribute('catalina-base', {
    title: 'Apache Tomcat configuration',
    types: { launch: true },
    metadata: { tomcat: tomcat.digest, contexts: contexts.map(each => each.join(' ')) },
    async make(layer) {
      const conf = join(layer.directory, 'conf')
      const place = join(conf, 'Catalina', 'localhost')
      await mkdir(place, { recursive: true })
      await mkdir(join(layer.directory, 'webapps'))
      await writeFile(join(conf, 'server.xml'), SERVER_XML)
      await writeFile(join(conf, 'logging.properties'), LOGGING_PROPERTIES)
      await writeFile(join(conf, 'start.options'), startOptions(home, layer.directory))
      // The servlets for files and for JSP pages, as this release of Tomcat sets them up.
      await copyFile(join(tomcat.root, 'conf', 'web.xml'), join(conf, 'web.xml'))
      for (const [name, docBase] of contexts) await writeFile(join(place, `${name}.xml`), contextXml(docBase))
      layer.environment.launch.default('CATALINA_BASE', layer.directory)
    },
  })
  return directory
}
