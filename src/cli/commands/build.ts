import { resolve } from 'node:path'
import {
  buildImage,
  parseBinding,
  parseBuildVolumes,
  parseCreationTime,
  parseOutput,
  parsePlatform,
  parseVariable,
  readVariableFile,
} from '#platform'
import { command } from '../command.ts'
import { oneOf } from '../one-of.ts'

export const build = command({
  summary: 'Build an image from source',
  arguments: { image: { help: 'name of the image, such as shop or registry.example/shop:1.2' } },
  options: {
    path: { short: 'p', value: 'DIR', help: 'directory of the app (default: here)' },
    env: {
      short: 'e',
      value: 'NAME=VALUE',
      multiple: true,
      help: 'variable for the build; NAME alone passes yours on',
    },
    'env-file': { value: 'FILE', multiple: true, help: 'file with a variable per line' },
    binding: {
      value: '[NAME=]DIR',
      multiple: true,
      help: 'service binding: a directory with a file "type" and one file per entry',
    },
    buildpack: {
      short: 'b',
      value: 'PLACE',
      multiple: true,
      help: 'buildpack to use instead of those of the builder: ID, directory, .cnb or .tgz file, address, image',
    },
    'pre-buildpack': { value: 'PLACE', multiple: true, help: 'buildpack to try before those of the builder' },
    'post-buildpack': { value: 'PLACE', multiple: true, help: 'buildpack to try after those of the builder' },
    builder: {
      short: 'B',
      value: 'IMAGE',
      help: 'builder of others, used as a file system (slipway: none, whatever the project says)',
    },
    'buildpack-registry': {
      short: 'R',
      value: 'PLACE',
      help: 'index that urn:cnb:registry:ID is looked up in: directory, address or repository (default: the public one)',
    },
    'skip-extensions': { help: 'leave image extensions of the builder out' },
    descriptor: { short: 'd', value: 'FILE', help: 'project descriptor (default: project.toml of the app)' },
    'run-image': {
      value: 'NAME',
      help: 'image to put the app on (default: slipway/run:base; run:static for Go)',
    },
    'default-process': { short: 'D', value: 'TYPE', help: 'process that starts when none is named' },
    tag: { short: 't', value: 'NAME', multiple: true, help: 'another name for the image' },
    publish: { help: 'push the image to its registry, and keep nothing of it here' },
    output: {
      short: 'o',
      value: 'PLACE',
      help: 'put the image to docker-daemon, oci:DIR[:TAG] or docker-archive:FILE instead of the store',
    },
    'previous-image': {
      value: 'NAME',
      help: 'image whose layers are taken again (default: that of the name)',
    },
    'cache-image': {
      value: 'REFERENCE',
      help: 'keep in this image of a registry what the next build can use',
    },
    'insecure-registry': {
      value: 'HOST',
      multiple: true,
      help: 'registry that may be spoken to without TLS or with an unknown certificate',
    },
    platform: { value: 'OS/ARCH', help: 'which image of several platforms (default: that of this machine)' },
    volume: {
      value: 'DIR:/PLACE[:rw]',
      multiple: true,
      help: 'mount a directory or file for buildpacks (default: read-only)',
    },
    'creation-time': { value: 'SECONDS|now', help: 'time that the image carries (default: last commit)' },
    'sbom-output-dir': { value: 'DIR', help: 'write copies of the bills of materials there' },
    'report-output-dir': { value: 'DIR', help: 'write report.toml there' },
    network: { value: 'host|none', help: 'network of the build (default: host; detection never has one)' },
    launcher: {
      value: 'auto|always|never',
      help: 'put the launcher in (default: auto, only if a process needs it)',
    },
    'exec-env': { value: 'ENV', help: 'execution environment: production (default), test, …' },
    locked: { help: 'build exactly what slipway.lock says, or refuse' },
    'clear-cache': { help: 'forget what earlier builds of this image kept' },
    sandbox: {
      value: 'auto|bwrap|plain',
      help: 'how buildpacks are isolated (plain: only inside a container)',
    },
  },
  examples: [
    'build applications/maven --path samples/java/maven',
    'build shop --env BP_JVM_VERSION=25 --binding bindings/maven',
    'build tool --run-image slipway/run:static --locked',
    'build registry.example/team/shop:1.2 --publish --tag registry.example/team/shop:latest',
  ],

  async run(input, { report, home, environment, workingDirectory, signal, print }) {
    const variables = new Map<string, string>()
    for (const file of input['env-file'])
      for (const [name, value] of await readVariableFile(resolve(workingDirectory, file), environment))
        variables.set(name, value)
    for (const text of input.env) {
      const variable = parseVariable(text, environment)
      if (variable) variables.set(...variable)
    }
    const below = (path: string | undefined) =>
      path === undefined ? undefined : resolve(workingDirectory, path)
    const volumes = await parseBuildVolumes(input.volume, workingDirectory)
    const built = await buildImage({
      name: input.image,
      tags: input.tag,
      output: parseOutput(input.output, input.publish, workingDirectory),
      previousImage: input['previous-image'],
      cacheImage: input['cache-image'],
      insecureRegistries: input['insecure-registry'],
      platform: input.platform === undefined ? undefined : parsePlatform(input.platform),
      path: resolve(workingDirectory, input.path ?? '.'),
      descriptor: input.descriptor === undefined ? undefined : resolve(workingDirectory, input.descriptor),
      variables,
      bindings: [...input.binding.map(text => parseBinding(text, workingDirectory)), ...volumes.bindings],
      volumes: volumes.mounts,
      created: parseCreationTime(input['creation-time'], Date.now),
      sbomDirectory: below(input['sbom-output-dir']),
      reportDirectory: below(input['report-output-dir']),
      buildpacks: input.buildpack,
      preBuildpacks: input['pre-buildpack'],
      postBuildpacks: input['post-buildpack'],
      builder: input.builder,
      buildpackRegistry: input['buildpack-registry'],
      skipExtensions: input['skip-extensions'],
      workingDirectory,
      runImage: input['run-image'],
      defaultProcess: input['default-process'],
      network: oneOf('network', input.network ?? 'host', ['host', 'none']),
      launcher: oneOf('launcher', input.launcher ?? 'auto', ['auto', 'always', 'never']),
      driver: oneOf('sandbox', input.sandbox ?? 'auto', ['auto', 'bwrap', 'plain']),
      execEnv: input['exec-env'] ?? 'production',
      locked: input.locked,
      clearCache: input['clear-cache'],
      home,
      environment,
      report,
      signal,
    })
    print(built.imageId ?? built.digest)
    return 0
  },
})
