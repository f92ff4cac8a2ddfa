import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * What slipway itself costs in a build, everything but the buildpacks' own time: a fixed buildpack (a shell script that says how long it took), an app of
 * 200 libraries, 37 MB in a slice of their own, and 50 classes, a launch layer of 300 MB. Prints, for a first build, one with nothing changed and one with a single class changed: wall
 * time, the buildpack's share, the rest, and the largest resident memory. Run it on a quiet machine: `npm run bench overhead`.
 */
const runs = Number(process.argv[2] ?? 5)
const place = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const program = resolve(import.meta.dirname, '../slipway')

function prepare(): { app: string; buildpack: string } {
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

interface Measured {
  readonly wall: number
  readonly own: number
  readonly memory: number
}

function build({ app, buildpack }: ReturnType<typeof prepare>): Measured {
  const words = ['build', 'bench', '--path', app, '--buildpack', buildpack, '--verbose']
  const env = { ...process.env, SLIPWAY_HOME: join(place, 'state'), NO_COLOR: '1' }
  const began = performance.now()
  const { status, stderr } = spawnSync(program, words, { env, encoding: 'utf8' })
  const wall = (performance.now() - began) / 1000
  if (status !== 0) throw new Error(stderr)
  const own = [...stderr.matchAll(/^own (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]) / 1e6, 0)
  return { wall, own, memory: Number(/^At most (\d+) MB of memory$/m.exec(stderr)?.[1]) }
}

function say(what: string, all: readonly Measured[]): void {
  const sorted = all.toSorted((a, b) => a.wall - a.own - (b.wall - b.own))
  const { wall, own } = sorted[Math.floor(sorted.length / 2)] as Measured
  const memory = Math.max(...all.map(each => each.memory))
  console.log(
    `${what.padEnd(24)} wall ${wall.toFixed(2)} s, buildpack ${own.toFixed(2)} s, slipway ${(wall - own).toFixed(2)} s, at most ${memory.toFixed(0)} MB`,
  )
}

try {
  const ground = prepare()
  const other = join(place, 'warm')
  mkdirSync(other)
  writeFileSync(join(other, 'one'), 'x')
  // Bases, sandbox and Node.js are made once per machine; they are not what is measured.
  build({ ...ground, app: other })
  say('first build', [build(ground)])
  say(
    'nothing changed',
    Array.from({ length: runs }, () => build(ground)),
  )
  say(
    'one class changed',
    Array.from({ length: runs }, (_, index) => {
      writeFileSync(
        join(ground.app, 'lib/7/7.jar'),
        Buffer.concat([randomBytes(185_000), Buffer.from([index])]),
      )
      return build(ground)
    }),
  )
} finally {
  rmSync(place, { recursive: true, force: true })
}
