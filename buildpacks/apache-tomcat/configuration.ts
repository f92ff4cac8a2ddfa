/**
 * Tomcat's own configuration, as small as it can be: one connector, no shutdown port, addresses of visitors as a proxy in
 * a private network tells them, error pages that tell nothing of the server. `PORT` is read from the environment.
 */
export const SERVER_XML = `<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1">
  <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
  <Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
  <Service name="Catalina">
    <Connector port="\${PORT:-8080}" bindOnInit="false" connectionTimeout="20000" maxParameterCount="1000"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Valve className="org.apache.catalina.valves.RemoteIpValve" protocolHeader="x-forwarded-proto"/>
      <Host name="localhost" appBase="webapps" autoDeploy="false" createDirs="false" failCtxIfServletStartFails="true"
          workDir="\${java.io.tmpdir}/tomcat-work">
        <Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false" showServerInfo="false"/>
      </Host>
    </Engine>
  </Service>
</Server>
`

/** Everything is said on the console, a line each; files in a container are read by nobody. */
export const LOGGING_PROPERTIES = `handlers = java.util.logging.ConsoleHandler
.handlers = java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level = FINE
java.util.logging.ConsoleHandler.formatter = org.apache.juli.OneLineFormatter
java.util.logging.ConsoleHandler.encoding = UTF-8
`

/** The context file of an application that lies outside of Tomcat. */
export function contextXml(directory: string): string {
  const escaped = directory.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Context docBase="${escaped}"/>\n`
}

/** What Java needs to let Tomcat look for leaks in applications that are stopped, as Tomcat's own start script has it. */
const OPENED = [
  'java.base/java.lang',
  'java.base/java.lang.reflect',
  'java.base/java.io',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.rmi/sun.rmi.transport',
]

/**
 * The words that start Tomcat without its shell scripts, so that images without a shell can run it: an argument file of
 * `java` (JDK tool specifications, "java @argument files").
 */
export function startOptions(home: string, base: string): string {
  const words = [
    ...OPENED.map(name => `--add-opens=${name}=ALL-UNNAMED`),
    `-Djava.util.logging.config.file=${base}/conf/logging.properties`,
    '-Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager',
    '-Djdk.tls.ephemeralDHKeySize=2048',
    '-Dorg.apache.tomcat.util.digester.PROPERTY_SOURCE=org.apache.tomcat.util.digester.EnvironmentPropertySource',
    `-Dcatalina.home=${home}`,
    `-Dcatalina.base=${base}`,
    `--class-path=${home}/bin/bootstrap.jar:${home}/bin/tomcat-juli.jar`,
    'org.apache.catalina.startup.Bootstrap',
    'start',
  ]
  return words.map(word => `"${word.replace(/[\\"]/g, '\\$&')}"\n`).join('')
}
