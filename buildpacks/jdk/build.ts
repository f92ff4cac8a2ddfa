import type { Build, BuildContext, Component, Dependency, LayerTypes } from '#sdk'
import { jlinkWords, linkRuntime } from './jlink.ts'
import { describeForLaunch } from './launch-environment.ts'
import { buildAuthorities, trustWhileBuilding } from './truststore.ts'
import { wantedVersion } from './version.ts'

/** Start-up helpers of every Java image, by the names that the launcher knows them by; they run in this order. */
const HELPERS = [
  'active-processor-count',
  'debug',
  'java-opts',
  'java-truststore',
  'jfr',
  'jmx',
  'jvm-heap',
  'jvm-out-of-memory',
  'memory-calculator',
  'nmt',
]

/** Provides what the plan asks for: a JDK for later buildpacks, and a runtime for the image. */
export const build: Build = async context => {
  const { configuration, log, required, dependency } = context
  const jre = required('jre')
  const asKit = configuration.text('BP_JVM_TYPE').trim().toLowerCase() === 'jdk'
  const linked = configuration.flag('BP_JVM_JLINK_ENABLED') && jre !== undefined
  const needsKit = required('jdk') !== undefined || linked || (asKit && jre !== undefined)

  const { version, from } = await wantedVersion(context)
  const jdk = needsKit ? await dependency({ name: 'jdk', version }) : undefined
  if (jdk) log.line(`Using Java ${jdk.version} (${from})`)
  if (jdk && required('jdk')) await contributeKit(context, jdk)
  if (!jre) return

  const types = { launch: jre.launch === true, build: jre.build === true, cache: jre.build === true }
  if (jdk && linked) await contributeLinked(context, jdk, types)
  else if (jdk && asKit) {
    log.line(
      'A JDK was asked for, and the image gets it: whoever breaks into the app finds a compiler there.',
    )
    await contributeRuntime(context, jdk, types)
  } else {
    // Both are of one line, so that what was compiled here runs there.
    const wanted = version === '' && jdk ? (jdk.version.split('.')[0] ?? '') : version
    const found = await dependency({ name: 'jre', version: wanted })
    if (!jdk) log.line(`Using Java ${found.version} (${from})`)
    await contributeRuntime(context, found, types)
  }
  if (types.launch) await contributeHelpers(context)
}

async function contributeKit(context: BuildContext, jdk: Dependency): Promise<void> {
  const authorities = await buildAuthorities(context)
  await context.layers.contribute('jdk', {
    title: `OpenJDK JDK ${jdk.version}`,
    types: { build: true, cache: true },
    metadata: {
      version: jdk.version,
      digest: jdk.digest,
      root: jdk.root,
      ...(authorities && { authorities: authorities.digest }),
    },
    components: jdk.components,
    async make(layer) {
      await layer.install(jdk)
      layer.environment.build.override('JAVA_HOME', layer.directory)
      layer.environment.build.override('JDK_HOME', layer.directory)
      if (!authorities) return
      await trustWhileBuilding(layer, authorities)
      context.log.detail(`Java programs of the build trust ${authorities.certificates.length} authorities`)
    },
  })
}

async function contributeRuntime(
  context: BuildContext,
  runtime: Dependency,
  types: LayerTypes,
): Promise<void> {
  await context.layers.contribute('jre', {
    title: `OpenJDK ${runtime.name === 'jdk' ? 'JDK' : 'JRE'} ${runtime.version}`,
    types,
    metadata: {
      version: runtime.version,
      digest: runtime.digest,
      ...(types.launch ? {} : { root: runtime.root }),
      ...uses(types),
    },
    components: runtime.components,
    async make(layer) {
      await layer.install(runtime)
      if (types.build) layer.environment.build.default('JAVA_HOME', layer.directory)
      if (types.launch) await describeForLaunch(layer, context.application)
    },
  })
}

async function contributeLinked(context: BuildContext, jdk: Dependency, types: LayerTypes): Promise<void> {
  const words = jlinkWords(
    context.configuration.words('BP_JVM_JLINK_ARGS'),
    jdk.hints['jlink.modules'] ?? 'java.se',
  )
  const own = jdk.components.map((each, index): Component => (index === 0 ? { ...each, name: 'jre' } : each))
  await context.layers.contribute('jre', {
    title: `OpenJDK JRE ${jdk.version} by jlink`,
    types,
    metadata: { version: jdk.version, digest: jdk.digest, arguments: words, ...uses(types) },
    components: own,
    async make(layer) {
      context.log.detail(`Executing jlink ${words.join(' ')}`)
      await linkRuntime(context, jdk, words, layer)
      if (types.build) layer.environment.build.default('JAVA_HOME', layer.directory)
      if (types.launch) await describeForLaunch(layer, context.application)
    },
  })
}

async function contributeHelpers({ layers }: BuildContext): Promise<void> {
  await layers.contribute('helper', {
    title: 'Launch Helper',
    types: { launch: true },
    metadata: { helpers: HELPERS },
    async make(layer) {
      for (const name of HELPERS) await layer.startUpHelper(name)
    },
  })
}

/** A layer that was made for one use does not have what the other needs. */
function uses({ launch, build }: LayerTypes): Record<string, boolean> {
  return { launch: launch === true, build: build === true }
}
