import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { changeClass, changeLibrary, writeFixed } from './support/fixed.ts'

/**
 * What slipway itself costs in a build, everything but the buildpacks' own time (`support/fixed.ts` says what is built). Prints, for a first build, one with
 * nothing changed, one with a single class changed and one with a library of the 37 MB slice changed: wall time, the buildpack's share, the rest, and the
 * largest resident memory. Run it on a quiet machine: `npm run bench overhead [RUNS]`.
 */
const runs = Number(process.argv[2] ?? 5)
const place = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const program = resolve(import.meta.dirname, '../slipway')

interface Measured {
  readonly wall: number
  readonly own: number
  readonly memory: number
}

function build({ app, buildpack }: ReturnType<typeof writeFixed>): Measured {
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
  const { wall, own } = sorted[sorted.length >> 1] as Measured
  const least = sorted[0] as Measured
  const memory = Math.max(...all.map(each => each.memory))
  console.log(
    `${what.padEnd(24)} wall ${wall.toFixed(2)} s, buildpack ${own.toFixed(2)} s, slipway ${(wall - own).toFixed(2)} s (least ${(least.wall - least.own).toFixed(2)} s), at most ${memory.toFixed(0)} MB`,
  )
}

try {
  const ground = writeFixed(place)
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
  for (const [what, change] of [
    ['one class changed', changeClass],
    ['one library changed', changeLibrary],
  ] as const)
    say(
      what,
      Array.from({ length: runs }, () => {
        change(ground.app)
        return build(ground)
      }),
    )
} finally {
  rmSync(place, { recursive: true, force: true })
}
