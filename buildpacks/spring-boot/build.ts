import { join } from 'node:path'
import { type Build, type BuildContext, componentsOfJars, findFiles, readJar } from '#sdk'
import { readApplication, type SpringBootApplication } from './application.ts'
import { contributeSlices } from './slices.ts'
import { contributeBindings } from './spring-cloud-bindings.ts'
import { threadCount, type WebApplicationType, webApplicationType } from './web-application-type.ts'

/** Labels, layers and bindings for a Spring Boot application. How it is started is left to others. */
export const build: Build = async context => {
  const app = await readApplication(context.application)
  if (!app) return
  context.log.line(`Spring Boot ${app.version}`)
  label(app, context)
  const libraries = join(app.directory, app.libraries)
  const files = await findFiles(libraries, '*.jar')
  const jars = await Promise.all(files.map(file => readJar(join(libraries, file))))
  for (const { name, unreadable } of jars)
    if (unreadable) context.log.warn(`nothing is known of the library ${name}: ${unreadable}`)
  context.components(await componentsOfJars(app.directory, jars))
  await contributeBindings(app, jars, context)
  await contributeThreadCount(await webApplicationType(app, jars), context)
  await contributeSlices(app, context)
}

function label({ version, manifest }: SpringBootApplication, { launch }: BuildContext): void {
  launch.label('org.springframework.boot.version', version)
  const title = manifest.get('Implementation-Title')
  if (title) launch.label('org.opencontainers.image.title', title)
  const release = manifest.get('Implementation-Version')
  if (release) launch.label('org.opencontainers.image.version', release)
}

const KINDS: Readonly<Record<WebApplicationType, string>> = {
  servlet: 'Servlet web application',
  reactive: 'Reactive web application',
  none: 'Application without a web server',
}

async function contributeThreadCount(type: WebApplicationType, { layers, log }: BuildContext): Promise<void> {
  const count = String(threadCount(type))
  log.line(`${KINDS[type]}: ${count} threads`)
  await layers.contribute('web-application-type', {
    title: 'Web Application Type',
    types: { launch: true },
    metadata: { type, threads: count },
    make: async ({ environment }) => environment.launch.default('BPL_JVM_THREAD_COUNT', count),
  })
}
