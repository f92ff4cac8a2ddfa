import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The buildpack that everybody builds with: a layer of each kind, bills of materials, slices, labels, two processes. Its layers depend on its version alone. */
export function writeBuildpack(directory: string, { id = 'interop/bash', version = '1.0.0' } = {}): void {
  write(
    directory,
    'buildpack.toml',
    `api = "0.10"

[buildpack]
id = "${id}"
version = "${version}"
name = "Interop"
sbom-formats = ["application/vnd.cyclonedx+json"]

[[targets]]
os = "linux"
arch = "amd64"
`,
  )
  write(directory, 'bin/detect', DETECT, 0o755)
  write(directory, 'bin/build', BUILD, 0o755)
}

/** The app: two slices and a rest. */
export function writeApp(directory: string, greeting = 'Ahoy'): void {
  write(directory, 'greeting', `${greeting}\n`)
  write(directory, 'start.sh', 'echo "$(cat greeting) from $TOOL in $(cat /layers/interop_bash/kept/word)"\n')
  write(directory, 'static/style.css', 'body {}\n')
  write(directory, 'static/pictures/one.svg', '<svg/>\n')
}

function write(directory: string, name: string, text: string, mode = 0o644): void {
  const path = join(directory, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

const DETECT = `#!/usr/bin/env bash
set -eu
test -f greeting
cat >"$CNB_BUILD_PLAN_PATH" <<'END'
[[provides]]
name = "greeting"
[[requires]]
name = "greeting"
[requires.metadata]
loud = true
END
`

const BUILD = `#!/usr/bin/env bash
set -eu
cd "$CNB_LAYERS_DIR"
version=$(sed -n 's/^version = "\\(.*\\)"/\\1/p' "$CNB_BUILDPACK_DIR/buildpack.toml" | head -n 1)

# launch alone: made again only if the image has not got it already.
if ! grep -q "version = \\"$version\\"" tool.toml 2>/dev/null; then
  echo "making tool"
  mkdir -p tool/bin tool/env.launch
  printf '#!/bin/sh\\necho tool %s\\n' "$version" >tool/bin/tool
  chmod 755 tool/bin/tool
  printf 'tool %s' "$version" >tool/env.launch/TOOL.override
fi
printf '[types]\\nlaunch = true\\n[metadata]\\nversion = "%s"\\n' "$version" >tool.toml
cat >tool.sbom.cdx.json <<'END'
{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"components":[{"type":"library","name":"tool","version":"1"}]}
END

# launch and cache: comes back with its contents.
if [ -f kept/word ]; then echo "kept word restored"; else echo "making kept word"; mkdir -p kept; printf 'harbour' >kept/word; fi
printf '[types]\\nlaunch = true\\ncache = true\\nbuild = true\\n' >kept.toml

# cache alone.
if [ -f downloads/archive ]; then echo "downloads restored"; else echo "downloading"; mkdir -p downloads; printf 'archive' >downloads/archive; fi
printf '[types]\\ncache = true\\n' >downloads.toml

cat >launch.toml <<'END'
[[labels]]
key = "org.example.ship"
value = "sails & masts"

[[slices]]
paths = ["static/*.css"]

[[slices]]
paths = ["static/**"]

[[processes]]
type = "web"
command = ["bash", "start.sh"]
default = true

[[processes]]
type = "worker"
command = ["tool"]
args = ["work"]
END
`
