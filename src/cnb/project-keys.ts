import type { KnownKeys } from './unknown-keys.ts'

const BUILDPACK: KnownKeys = {
  id: true,
  version: true,
  uri: true,
  script: { api: true, shell: true, inline: true },
  'exec-env': true,
}
const VARIABLE: KnownKeys = { name: true, value: true, 'exec-env': true }
const FILTER = { builder: true, include: true, exclude: true } as const
const ABOUT = {
  id: true,
  name: true,
  version: true,
  authors: true,
  'documentation-url': true,
  'source-url': true,
  licenses: true,
} as const

/** Keys of project.toml 0.1. */
export const FIRST_KEYS: KnownKeys = {
  _: { 'schema-version': true },
  project: ABOUT,
  build: { ...FILTER, buildpacks: BUILDPACK, env: VARIABLE },
  metadata: true,
}

/** Keys of project.toml 0.2 and 0.3. Tables below a top-level domain belong to other vendors. */
export const CURRENT_KEYS: KnownKeys = {
  _: { ...ABOUT, 'schema-version': true, metadata: true },
  io: {
    buildpacks: {
      ...FILTER,
      group: BUILDPACK,
      pre: { group: BUILDPACK },
      post: { group: BUILDPACK },
      build: { env: VARIABLE },
      env: { build: VARIABLE },
    },
    '*': true,
  },
  '*': true,
  project: {},
  build: {},
  metadata: {},
}
