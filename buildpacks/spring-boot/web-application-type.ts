import { join } from 'node:path'
import { findFiles, type Jar } from '#sdk'
import type { SpringBootApplication } from './application.ts'

/** What Spring Boot will start: a server for servlets, a reactive one, or none. */
export type WebApplicationType = 'servlet' | 'reactive' | 'none'

const WEB_FLUX = 'org/springframework/web/reactive/DispatcherHandler.class'
const WEB_MVC = 'org/springframework/web/servlet/DispatcherServlet.class'
const JERSEY = 'org/glassfish/jersey/servlet/ServletContainer.class'
const SERVLETS = ['jakarta/servlet/Servlet.class', 'javax/servlet/Servlet.class']
const WEB_CONTEXT = 'org/springframework/web/context/ConfigurableWebApplicationContext.class'

/** Decides as Spring Boot itself does when it starts (`WebApplicationType.deduceFromClasspath`), by the classes that there are. */
export async function webApplicationType(
  { directory, classes }: Pick<SpringBootApplication, 'directory' | 'classes'>,
  jars: readonly Pick<Jar, 'entries'>[],
): Promise<WebApplicationType> {
  const own = await findFiles(join(directory, classes), '**/*.class')
  const all = new Set([...own, ...jars.flatMap(({ entries }) => entries)])
  if (all.has(WEB_FLUX) && !all.has(WEB_MVC) && !all.has(JERSEY)) return 'reactive'
  return all.has(WEB_CONTEXT) && SERVLETS.some(name => all.has(name)) ? 'servlet' : 'none'
}

/** How many threads such an application is expected to use: a servlet takes one for each request that is being answered. */
export function threadCount(type: WebApplicationType): number {
  return type === 'servlet' ? 250 : 50
}
