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
 * A buildpack in TypeScript: \`src/\` is compiled by \`npm run build\` to \`main.mjs\`, which is there already, so that nothing has to be installed to try it. It needs a
 * Node.js 20 where it runs, and nothing else.
 */
export function typescriptFiles(id: string): Readonly<Record<string, ScaffoldFile>> {
  return {
    'bin/detect': { mode: 0o755, text: start('detect') },
    'bin/build': { mode: 0o755, text: start('build') },
    'main.mjs': { mode: 0o644, text: javascript(id) },
    'src/main.mts': { mode: 0o644, text: typescript(id) },
    'tsconfig.json': {
      mode: 0o644,
      text: `${JSON.stringify(
        {
          compilerOptions: {
            target: 'es2022',
            module: 'nodenext',
            strict: true,
            rootDir: 'src',
            outDir: '.',
            types: ['node'],
          },
          include: ['src'],
        },
        null,
        2,
      )}\n`,
    },
    'package.json': {
      mode: 0o644,
      text: `${JSON.stringify(
        {
          private: true,
          type: 'module',
          scripts: { build: 'tsc' },
          devDependencies: { '@types/node': '20.19.43', typescript: '5.9.3' },
        },
        null,
        2,
      )}\n`,
    },
  }
}

const start = (phase: string) => `#!/bin/sh
# Finds a Node.js and runs ${phase}.
directory=\${CNB_BUILDPACK_DIR:-\${0%/bin/*}}
for node in "$directory/node/bin/node" /cnb/lifecycle/node /cnb/lifecycle/node/bin/node "$(command -v node || true)"; do
  if [ -f "$node" ] && [ -x "$node" ]; then
    exec "$node" "$directory/main.mjs" ${phase}
  fi
done
echo "ERROR: there is no Node.js to run $directory with" >&2
exit 1
`

const typescript = (id: string) => `import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Decides whether ${id} takes part: exit code 0 if it does, 100 if it does not. */
async function detect(): Promise<number> {
  return 0
}

/** Makes layers below the layers directory. The working directory is the app. */
async function build(layers: string): Promise<number> {
  const layer = join(layers, 'greeting')
  await mkdir(join(layer, 'env.launch'), { recursive: true })
  await writeFile(join(layer, 'env.launch', 'GREETING.default'), 'hello from ${id}')
  await writeFile(\`\${layer}.toml\`, '[types]\\nlaunch = true\\n')
  console.log('${id} leaves a greeting')
  return 0
}

const phase = process.argv[2]
const layers: string = process.env['CNB_LAYERS_DIR'] ?? ''
process.exitCode = phase === 'detect' ? await detect() : await build(layers)
`

const javascript = (id: string) =>
  typescript(id)
    .replace('(): Promise<number>', '()')
    .replace('(layers: string): Promise<number>', '(layers)')
    .replace('layers: string =', 'layers =')
