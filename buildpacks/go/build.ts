import { join } from 'node:path'
import {
  type Build,
  type BuildContext,
  componentsOfGo,
  digestOf,
  Problem,
  type Process,
  removeSource,
  sourceDigest,
  variablesDigest,
} from '#sdk'
import { buildFlags } from './arguments.ts'
import { compile, type Go, type Program, programsIn } from './compile.ts'
import { inOrder, namesIn, processesOf } from './processes.ts'
import { chosenTargets } from './targets.ts'
import { wantedGo } from './version.ts'

const LAYER = 'targets'

/** Brings Go, builds the programs of the app, and leaves nothing else in the image but the files that the user names. */
export const build: Build = async context => {
  const { application, configuration, launch, layers, log } = context
  if (configuration.flag('BP_LIVE_RELOAD_ENABLED'))
    log.warn('BP_LIVE_RELOAD_ENABLED is not supported: the program is started as it is')
  const go = await contributeGo(context)
  const targets = await chosenTargets(context)
  // Kept also when Go does not run, so that the next change finds them.
  for (const name of ['modules', 'build-cache']) await layers.keep(name)
  for (const process of await contributePrograms(context, go, targets)) {
    log.line(`Process ${process.type}${process.default ? ' (default)' : ''}: ${process.command.join(' ')}`)
    launch.process(process)
  }
  log.line('Removing source code')
  await removeSource(application, { include: configuration.given('BP_KEEP_FILES'), exclude: undefined })
}

async function contributeGo(context: BuildContext): Promise<Go> {
  const { dependency, layers, log } = context
  const { version, minimum, from } = await wantedGo(context)
  const go = await dependency({
    name: 'go',
    version,
    ...(minimum && version !== '' && { options: { minimum } }),
  })
  log.line(
    `Using Go ${go.version} (${version === '' || version === go.version ? '' : `${version} `}by ${from})`,
  )
  const { directory } = await layers.contribute('go', {
    title: `Go ${go.version}`,
    types: { build: true, cache: true },
    metadata: { version: go.version, digest: go.digest, root: go.root },
    components: go.components,
    async make(layer) {
      await layer.install(go)
      layer.environment.build.default('GOTOOLCHAIN', 'local')
    },
  })
  return { command: join(directory, 'bin/go'), identity: go.digest }
}

/** Builds the programs unless nothing changed that they are built from. Then only the image has them, and the processes are those of before. */
async function contributePrograms(
  context: BuildContext,
  go: Go,
  targets: readonly string[],
): Promise<readonly Process[]> {
  const { application, environment, layers, platform, target } = context
  const flags = buildFlags(context)
  const directory = join(layers.directory, LAYER, 'bin')
  let programs: readonly Program[] = []
  const { remembered } = await layers.contribute(LAYER, {
    title: 'Go Programs',
    types: { launch: true },
    metadata: {
      source: await sourceDigest(application),
      targets,
      // Only a digest: flags may hold a token.
      arguments: digestOf([...flags, environment.GOFLAGS ?? '', environment.CGO_ENABLED ?? ''].join('\0')),
      go: go.identity,
      architecture: target.arch,
      variables: await variablesDigest(platform),
    },
    async make() {
      await compile(context, go, flags, targets, directory)
      programs = await programsIn(directory)
      if (programs.length === 0) throw nothingBuilt(targets)
    },
    components: async () => componentsOfGo(programs.flatMap(({ info }) => info ?? [])),
    remember: async () => ({ programs: await inOrder(programs, targets, application) }),
  })
  return processesOf(namesIn(remembered), directory)
}

const nothingBuilt = (targets: readonly string[]) =>
  new Problem('GO_NO_TARGET', {
    what: 'Cannot find what Go built',
    why: `${targets.join(' ')} has no main package`,
    fix: 'Set BP_GO_TARGETS to main packages.',
  })
