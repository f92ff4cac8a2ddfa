import type { Command } from './command.ts'
import type { CommandTable } from './parse.ts'

/** Every command by its words. A command's file is loaded only when it is asked for. */
export const commands: CommandTable = {
  build: {
    summary: 'Build an image from source',
    load: async () => (await import('./commands/build.ts')).build as Command,
  },
  run: {
    summary: 'Run an image from the store',
    load: async () => (await import('./commands/run.ts')).run as Command,
  },
  inspect: {
    summary: 'Show what an image is made of',
    load: async () => (await import('./commands/inspect.ts')).inspect as Command,
  },
  rebase: {
    summary: 'Put a new operating system under a built image',
    load: async () => (await import('./commands/rebase.ts')).rebase as Command,
  },
  'sbom download': {
    summary: 'Write the bill of materials of an image to files',
    load: async () => (await import('./commands/sbom.ts')).download as Command,
  },
  'sbom show': {
    summary: 'Print the bill of materials of an image',
    load: async () => (await import('./commands/sbom.ts')).show as Command,
  },
  images: {
    summary: 'List the images in the store, or what is in a registry',
    load: async () => (await import('./commands/images.ts')).images as Command,
  },
  tag: {
    summary: 'Give an image another name',
    load: async () => (await import('./commands/tag.ts')).tag as Command,
  },
  rm: {
    summary: 'Remove names of images from the store, or images from a registry',
    load: async () => (await import('./commands/rm.ts')).rm as Command,
  },
  gc: {
    summary: 'Delete what no image needs any more',
    load: async () => (await import('./commands/gc.ts')).gc as Command,
  },
  copy: {
    summary: 'Copy an image between the store, registries, daemons and files',
    load: async () => (await import('./commands/copy.ts')).copy as Command,
  },
  'base lock': {
    summary: 'Resolve the packages of a base image and record them',
    load: async () => (await import('./commands/base.ts')).lock as Command,
  },
  'base build': {
    summary: 'Assemble a base image from its lock',
    load: async () => (await import('./commands/base.ts')).build as Command,
  },
  'base list': {
    summary: 'List the base images that slipway knows',
    load: async () => (await import('./commands/base.ts')).list as Command,
  },
  diff: {
    summary: 'Say in what two images differ: layers, files, packages, settings, labels',
    load: async () => (await import('./commands/diff.ts')).diff as Command,
  },
  explain: {
    summary: 'Say why buildpacks were chosen, and why each layer was made again or reused',
    load: async () => (await import('./commands/explain.ts')).explain as Command,
  },
  'builder create': {
    summary: 'Make a builder image, of a file or of our own buildpacks',
    load: async () => (await import('./commands/builder.ts')).create as Command,
  },
  'builder inspect': {
    summary: 'Show what a builder has',
    load: async () => (await import('./commands/builder.ts')).inspect as Command,
  },
  'builder suggest': {
    summary: 'List builders that are known',
    load: async () => (await import('./commands/builder.ts')).suggest as Command,
  },
  'buildpack new': {
    summary: 'Begin a buildpack',
    load: async () => (await import('./commands/buildpack.ts')).create as Command,
  },
  'buildpack package': {
    summary: 'Package a buildpack as a file or an image',
    load: async () => (await import('./commands/buildpack.ts')).pack as Command,
  },
  'buildpack inspect': {
    summary: 'Show what a buildpackage has',
    load: async () => (await import('./commands/buildpack.ts')).inspect as Command,
  },
  'buildpack pull': {
    summary: 'Copy a buildpackage of a registry into the store',
    load: async () => (await import('./commands/buildpack.ts')).pull as Command,
  },
  doctor: {
    summary: 'Say what this machine lacks for slipway, and what to do',
    load: async () => (await import('./commands/doctor.ts')).doctor as Command,
  },
  'doctor registry': {
    summary: 'Say what is in the way to a registry, and what to do',
    load: async () => (await import('./commands/doctor.ts')).registry as Command,
  },
  version: {
    summary: 'Print the version',
    load: async () => (await import('./commands/version.ts')).version as Command,
  },
}
