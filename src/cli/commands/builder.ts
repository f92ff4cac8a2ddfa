import { parseTarget } from '#cnb'
import {
  createBuilder,
  inspectBuilder,
  KNOWN_BUILDERS,
  labelsFrom,
  openPackaging,
  parseVariable,
} from '#platform'
import { builderDocument, builderText } from '../builder-text.ts'
import { command } from '../command.ts'
import { PULL_OPTIONS, packagingFrom } from '../packaging.ts'
import { printAs } from '../print-as.ts'
import { table } from '../table.ts'

/** `slipway builder create`. */
export const create = command({
  summary: 'Make a builder image, of a file or of our own buildpacks',
  arguments: { builder: { help: 'its name in the store, or with --publish its reference in a registry' } },
  options: {
    config: { short: 'c', value: 'FILE', help: "builder.toml (default: slipway's own builder)" },
    base: {
      value: 'NAME',
      help: 'what our own builder stands on: build:base (default) or build:base-bookworm',
    },
    'run-image': {
      value: 'REF',
      help: 'run image of our own builder (default: the run:base that belongs to it)',
    },
    env: {
      short: 'e',
      value: 'NAME=VALUE',
      multiple: true,
      help: 'variable of every build with our own builder, such as SLIPWAY_APT_MIRROR; NAME alone passes yours on',
    },
    publish: { help: 'write it to the registry that its name says, for every target' },
    target: {
      short: 't',
      value: 'OS/ARCH',
      multiple: true,
      help: 'platform to make it for; may be repeated',
    },
    label: { short: 'l', value: 'NAME=VALUE', multiple: true, help: 'label of the image; may be repeated' },
    flatten: {
      value: 'ID@VERSION,…',
      multiple: true,
      help: 'buildpacks that share one layer; may be repeated',
    },
    'append-image-name-suffix': { help: 'with several targets: end each name in -OS-ARCH' },
    ...PULL_OPTIONS,
  },
  examples: [
    'builder create team/builder',
    'builder create team/builder --base build:base-bookworm',
    'builder create registry.example/team/builder --config builder.toml --publish',
  ],
  async run(input, surroundings) {
    await using context = openPackaging(packagingFrom(input, surroundings))
    const variables = new Map<string, string>()
    for (const text of input.env) {
      const variable = parseVariable(text, surroundings.environment)
      if (variable) variables.set(...variable)
    }
    const written = await createBuilder(
      {
        name: input.builder,
        publish: input.publish,
        config: input.config,
        base: input.base,
        runImage: input['run-image'],
        variables,
        targets: input.target.map(parseTarget),
        labels: labelsFrom(input.label),
        flatten: input.flatten,
        appendSuffix: input['append-image-name-suffix'],
      },
      context,
    )
    for (const { name, digest, runImages } of written) {
      surroundings.report.line(
        `Made the builder ${name}; apps run on ${runImages.map(({ image }) => image).join(', ')}`,
      )
      surroundings.print(digest)
    }
    return 0
  },
})

/** `slipway builder inspect`. */
export const inspect = command({
  summary: 'Show what a builder has, in the store and in its registry',
  arguments: {
    builder: { help: 'NAME, docker://REF, docker-daemon:NAME, oci:DIR[:TAG] or docker-archive:FILE' },
  },
  options: {
    output: { short: 'o', value: 'human|json|toml', help: 'form of the answer (default: human)' },
    json: { help: 'the same as --output json' },
    ...PULL_OPTIONS,
  },
  examples: ['builder inspect team/builder', 'builder inspect docker://registry.example/team/builder --json'],
  async run(input, surroundings) {
    await using context = openPackaging(packagingFrom(input, surroundings))
    const found = await inspectBuilder(input.builder, context)
    printAs(
      input,
      surroundings,
      () => builderText(found),
      () => builderDocument(found),
    )
    return 0
  },
})

/** `slipway builder suggest`. */
export const suggest = command({
  summary: 'List builders that are known, ours first',
  arguments: {},
  options: { json: { help: 'print one JSON document' } },
  examples: ['builder suggest'],
  async run({ json }, { print }) {
    if (json) print(JSON.stringify(KNOWN_BUILDERS, null, 2))
    else
      print(
        table([
          ['VENDOR', 'BUILDER', 'BUILDS'],
          ...KNOWN_BUILDERS.map(each => [each.vendor, each.image, each.description]),
        ]),
      )
    return 0
  },
})
