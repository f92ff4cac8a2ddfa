import { homedir } from 'node:os'
import type { PackagingOptions } from '#platform'
import type { Surroundings } from './command.ts'
import { oneOf } from './one-of.ts'

/** Options of every command that may fetch images and buildpacks. */
export const PULL_OPTIONS = {
  'pull-policy': {
    value: 'always|never|if-not-present',
    help: 'whether to ask registries: before the store, never, or after it (default)',
  },
  'insecure-registry': {
    value: 'HOST',
    multiple: true,
    help: 'registry that may be spoken to without TLS; may be repeated',
  },
  'buildpack-registry': {
    short: 'R',
    value: 'PLACE',
    help: 'index of buildpacks: directory, address or repository (default: the public one)',
  },
} as const

/** What packaging is handed by the command line. */
export function packagingFrom(
  input: {
    readonly 'pull-policy'?: string | undefined
    readonly 'insecure-registry'?: readonly string[]
    readonly 'buildpack-registry'?: string | undefined
  },
  { home, environment, report, signal, workingDirectory }: Surroundings,
): PackagingOptions {
  const policy = oneOf('pull-policy', input['pull-policy'] ?? 'if-not-present', [
    'if-not-present',
    'always',
    'never',
  ])
  return {
    ...{ home, environment, report, signal, workingDirectory },
    userHome: environment.HOME || homedir(),
    now: Date.now,
    pullPolicy: policy,
    insecure: input['insecure-registry'],
    buildpackRegistry: input['buildpack-registry'],
  }
}
