/** A file of a new buildpack. */
export interface ScaffoldFile {
  readonly text: string
  readonly mode: number
}

/** A buildpack of shell scripts: it takes part in every app, and leaves a file and a variable behind. */
export function bashFiles(id: string): Readonly<Record<string, ScaffoldFile>> {
  return {
    'bin/detect': {
      mode: 0o755,
      text: `#!/usr/bin/env bash
# Decides whether ${id} takes part: exit 0 if it does, 100 if it does not.
set -euo pipefail

# if [[ ! -f package.json ]]; then
#   exit 100
# fi
exit 0
`,
    },
    'bin/build': {
      mode: 0o755,
      text: `#!/usr/bin/env bash
# Makes layers below $CNB_LAYERS_DIR. The working directory is the app.
set -euo pipefail

layer="$CNB_LAYERS_DIR/greeting"
mkdir -p "$layer/env.launch"
printf 'hello from ${id}' >"$layer/env.launch/GREETING.default"
cat >"$layer.toml" <<'END'
[types]
launch = true
END
echo "${id} leaves a greeting"
`,
    },
  }
}

/**
 * A buildpack in TypeScript on slipway's SDK: `main.mts`, and `main.mjs`, which `npm run build` makes of it and which is there already, so that nothing has to be
 * installed to try it. It needs a Node.js 20 where it runs, and nothing else: the SDK is in one file.
 */
export function typescriptFiles(id: string, sdk: string): Readonly<Record<string, ScaffoldFile>> {
  const plain = (text: string): ScaffoldFile => ({ mode: 0o644, text })
  const json = (value: unknown) => plain(`${JSON.stringify(value, null, 2)}\n`)
  return {
    'bin/detect': { mode: 0o755, text: start('detect') },
    'bin/build': { mode: 0o755, text: start('build') },
    'main.mts': plain(program(id, true)),
    'main.mjs': plain(program(id, false)),
    'sdk.mjs': plain(sdk),
    'sdk.d.mts': plain(DECLARATIONS),
    'tsconfig.json': json({
      compilerOptions: { target: 'es2022', module: 'nodenext', strict: true },
      files: ['main.mts'],
    }),
    'package.json': json({
      private: true,
      type: 'module',
      scripts: { build: 'tsc' },
      devDependencies: { typescript: '5.9.3' },
    }),
  }
}

const start = (phase: string) => `#!/bin/sh
# Finds a Node.js and runs ${phase}.
CNB_BUILDPACK_DIR=\${CNB_BUILDPACK_DIR:-\${0%/bin/*}}
export CNB_BUILDPACK_DIR
for node in "$CNB_BUILDPACK_DIR/node/bin/node" /cnb/lifecycle/node /cnb/node/bin/node "$(command -v node || true)"; do
  if [ -f "$node" ] && [ -x "$node" ]; then
    exec "$node" "$CNB_BUILDPACK_DIR/main.mjs" ${phase} "$@"
  fi
done
echo "ERROR: there is no Node.js to run $CNB_BUILDPACK_DIR with" >&2
exit 1
`

const program = (
  id: string,
  typed: boolean,
) => `import { ${typed ? 'type Build, type Detect, ' : ''}main, pass } from './sdk.mjs'

/** Decides whether ${id} takes part: fail('why not') if it does not. */
const detect${typed ? ': Detect' : ''} = () => pass()

/** Makes layers. What \`metadata\` holds is everything that the content follows from. */
const build${typed ? ': Build' : ''} = async ({ layers, log }) => {
  await layers.contribute('greeting', {
    title: 'Greeting',
    types: { launch: true },
    metadata: { text: 'hello from ${id}' },
    async make(layer) {
      layer.environment.launch.default('GREETING', 'hello from ${id}')
    },
  })
  log.line('${id} leaves a greeting')
}

await main({ detect, build })
`

/** What of the SDK most buildpacks use. */
const DECLARATIONS = `export interface DetectContext {
  readonly application: string
  readonly platform: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly configuration: { text(name: string): string; flag(name: string): boolean }
  readonly target: {
    readonly os: string
    readonly arch: 'amd64' | 'arm64'
    readonly distro: { readonly name: string; readonly version: string }
  }
  readonly log: { line(text: string): void }
}
export interface EnvironmentWriter {
  default(name: string, value: string): void
  override(name: string, value: string): void
}
export interface Layer {
  readonly name: string
  readonly directory: string
  readonly environment: { readonly build: EnvironmentWriter; readonly launch: EnvironmentWriter }
}
export interface LayerPlan {
  readonly title: string
  readonly types: { readonly launch?: boolean; readonly build?: boolean; readonly cache?: boolean }
  readonly metadata: Readonly<Record<string, unknown>>
  make(layer: Layer): Promise<void>
}
export interface BuildContext extends DetectContext {
  readonly layers: { contribute(name: string, plan: LayerPlan): Promise<{ readonly directory: string }> }
  readonly launch: { process(process: { type: string; command: readonly string[]; default?: boolean }): void }
  run(command: string, parameters: readonly string[]): Promise<void>
}
export interface Section {
  readonly provides?: readonly string[]
  readonly requires?: readonly (string | { readonly name: string; readonly metadata?: object })[]
}
export interface Detection {
  readonly passed: boolean
}
export type Detect = (context: DetectContext) => Detection | Promise<Detection>
export type Build = (context: BuildContext) => void | Promise<void>
export function pass(...sections: Section[]): Detection
export function fail(why: string): Detection
export function main(buildpack: { readonly detect: Detect; readonly build: Build }): Promise<void>
`
