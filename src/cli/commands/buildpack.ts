import { resolve } from 'node:path'
import { parseTarget } from '#cnb'
import {
  inspectPackage,
  labelsFrom,
  openPackaging,
  packageBuildpack,
  pullBuildpack,
  scaffoldBuildpack,
} from '#platform'
import { packageDocument, packageText } from '../buildpack-text.ts'
import { command } from '../command.ts'
import { oneOf } from '../one-of.ts'
import { PULL_OPTIONS, packagingFrom } from '../packaging.ts'
import { printAs } from '../print-as.ts'

/** `slipway buildpack package`. */
export const pack = command({
  summary: 'Package a buildpack, or several with their order, as a file or an image',
  arguments: {
    name: { help: 'file (with --format file), name in the store, or with --publish a reference' },
  },
  options: {
    config: { short: 'c', value: 'FILE', help: 'package.toml' },
    path: { short: 'p', value: 'PLACE', help: 'the buildpack: a directory or an archive (default: here)' },
    format: { short: 'f', value: 'image|file', help: 'what to write (default: image)' },
    publish: { help: 'write it to the registry that its name says, for every target' },
    target: {
      short: 't',
      value: 'OS/ARCH',
      multiple: true,
      help: "platform to make it for (default: the buildpack's)",
    },
    label: { short: 'l', value: 'NAME=VALUE', multiple: true, help: 'label of the image; may be repeated' },
    flatten: { help: 'put all buildpacks into one layer' },
    'flatten-exclude': {
      short: 'e',
      value: 'ID@VERSION',
      multiple: true,
      help: 'buildpack that keeps a layer of its own',
    },
    'append-image-name-suffix': { help: 'with several targets: end each name in -OS-ARCH' },
    ...PULL_OPTIONS,
  },
  examples: [
    'buildpack package greeting.cnb --format file --path greeting',
    'buildpack package registry.example/team/greeting --config package.toml --publish',
  ],
  async run(input, surroundings) {
    await using context = openPackaging(packagingFrom(input, surroundings))
    const format = oneOf('format', input.format ?? 'image', ['image', 'file'])
    const written = await packageBuildpack(
      {
        name: input.name,
        format,
        publish: input.publish && format === 'image',
        config: input.config,
        path: input.path,
        targets: input.target.map(parseTarget),
        labels: labelsFrom(input.label),
        flatten: input.flatten,
        flattenExclude: input['flatten-exclude'],
        appendSuffix: input['append-image-name-suffix'],
      },
      context,
    )
    for (const { name, digest } of written) {
      surroundings.report.line(`Packaged ${name}`)
      surroundings.print(digest)
    }
    return 0
  },
})

/** `slipway buildpack inspect`. */
export const inspect = command({
  summary: 'Show what a buildpackage has',
  arguments: { buildpack: { help: 'file (.cnb), NAME, docker://REF, or an id of a buildpack registry' } },
  options: {
    output: { short: 'o', value: 'human|json|toml', help: 'form of the answer (default: human)' },
    json: { help: 'the same as --output json' },
    ...PULL_OPTIONS,
  },
  examples: [
    'buildpack inspect greeting.cnb',
    'buildpack inspect docker://registry.example/team/greeting --json',
  ],
  async run(input, surroundings) {
    await using context = openPackaging(packagingFrom(input, surroundings))
    const found = await inspectPackage(input.buildpack, context)
    printAs(
      input,
      surroundings,
      () => packageText(found),
      () => packageDocument(found),
    )
    return 0
  },
})

/** `slipway buildpack pull`. */
export const pull = command({
  summary: 'Copy a buildpackage of a registry into the store',
  arguments: {
    buildpack: {
      help: 'reference, docker://REF, or an id of a buildpack registry (ID@VERSION, urn:cnb:registry:ID)',
    },
  },
  options: {
    'buildpack-registry': PULL_OPTIONS['buildpack-registry'],
    'insecure-registry': PULL_OPTIONS['insecure-registry'],
  },
  examples: ['buildpack pull registry.example/team/greeting:1'],
  async run(input, surroundings) {
    await using context = openPackaging(packagingFrom(input, surroundings))
    const { name, digest } = await pullBuildpack(input.buildpack, context)
    surroundings.report.line(`Pulled ${name}`)
    surroundings.print(digest)
    return 0
  },
})

/** `slipway buildpack new`. */
export const create = command({
  summary: 'Begin a buildpack that builds and can be packaged right away',
  arguments: { id: { help: 'its id, such as team/greeting' } },
  options: {
    path: { short: 'p', value: 'DIR', help: 'where to put it (default: the last part of the id)' },
    language: { value: 'typescript|bash', help: 'what to write it in (default: typescript)' },
    version: { short: 'V', value: 'VERSION', help: 'its version (default: 1.0.0)' },
    api: { short: 'a', value: 'API', help: 'Buildpack API (default: 0.12)' },
    target: {
      short: 't',
      value: 'OS/ARCH',
      multiple: true,
      help: 'platform that it works on (default: linux)',
    },
  },
  examples: ['buildpack new team/greeting', 'buildpack new team/greeting --language bash --path here'],
  async run(input, { workingDirectory, print }) {
    const directory = resolve(workingDirectory, input.path ?? (input.id.split('/').at(-1) as string))
    const written = await scaffoldBuildpack({
      id: input.id,
      version: input.version ?? '1.0.0',
      api: input.api ?? '0.12',
      directory,
      language: oneOf('language', input.language ?? 'typescript', ['typescript', 'bash']),
      targets: input.target.length > 0 ? input.target.map(parseTarget) : [{ os: 'linux', distros: [] }],
    })
    for (const name of written) print(name)
    return 0
  },
})
