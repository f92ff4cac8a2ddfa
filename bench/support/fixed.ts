import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes the app and the buildpack that everybody is measured with: 200 libraries, 37 MB in a slice of their own, 50 classes, and a launch layer of 300 MB
 * that the buildpack makes only where it is not known yet. The buildpack is a shell script that says how long it took itself.
 */
export function writeFixed(place: string): { app: string; buildpack: string } {
  const app = join(place, 'app')
  const buildpack = join(place, 'buildpack')
  for (let index = 0; index < 200; index++) {
    const directory = join(app, `lib/${index % 20}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `${index}.jar`), randomBytes(185_000))
  }
  mkdirSync(join(app, 'classes'))
  for (let index = 0; index < 50; index++)
    writeFileSync(join(app, `classes/${index}.class`), randomBytes(3000))
  mkdirSync(join(buildpack, 'bin'), { recursive: true })
  mkdirSync(join(buildpack, 'runtime/lib'), { recursive: true })
  for (let index = 0; index < 30; index++)
    writeFileSync(join(buildpack, `runtime/lib/${index}.so`), randomBytes(10 << 20))
  writeFileSync(
    join(buildpack, 'buildpack.toml'),
    'api = "0.10"\n[buildpack]\nid = "bench/fixed"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n',
  )
  const timed = (body: string) =>
    `#!/bin/bash\nbegan=\${EPOCHREALTIME/./}\n${body}\necho "own $((\${EPOCHREALTIME/./} - began))"\n`
  writeFileSync(join(buildpack, 'bin/detect'), '#!/bin/sh\nexit 0\n')
  writeFileSync(
    join(buildpack, 'bin/build'),
    timed(`if [ ! -f "$1/runtime.toml" ]; then cp -r "$CNB_BUILDPACK_DIR/runtime" "$1/runtime"; fi
printf '[types]\\nlaunch = true\\n[metadata]\\nversion = "1"\\n' >"$1/runtime.toml"
printf '[[processes]]\\ntype = "web"\\ncommand = ["sleep"]\\nargs = ["1"]\\ndefault = true\\n[[slices]]\\npaths = ["lib"]\\n' >"$1/launch.toml"`),
  )
  for (const name of ['detect', 'build']) chmodSync(join(buildpack, 'bin', name), 0o755)
  return { app, buildpack }
}

/** Changes one class of the app; its size stays. */
export function changeClass(app: string): void {
  writeFileSync(join(app, 'classes/7.class'), randomBytes(3000))
}

/** Changes one library, and so the slice of 37 MB. */
export function changeLibrary(app: string): void {
  writeFileSync(join(app, 'lib/7/7.jar'), randomBytes(185_000))
}
