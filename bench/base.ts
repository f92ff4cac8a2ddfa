import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BaseLock, parseLocks } from '../src/os/mod.ts'

/**
 * How long run:base takes to assemble, start of the program included, side by side with mmdebstrap where that is installed. `packages
 * decoded` is what a person has after any base was built: of the next one only what changed is decoded. Run it on a quiet machine after
 * `./slipway version`: `node --import tsx bench/base.ts [RUNS]`.
 */
const runs = Number(process.argv[2] ?? 5)
const place = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
const state = join(place, 'state')
const program = resolve(import.meta.dirname, '../dist/cli/main.cjs')

interface Measured {
  /** Seconds. */
  readonly wall: number
  readonly cpu: number
}

/** Runs a command in a shell that tells what it used; fails loudly. */
function measure(command: string, ...words: string[]): Measured {
  const began = process.hrtime.bigint()
  const { status, stderr, stdout } = spawnSync(
    'bash',
    ['-c', '"$@" >/dev/null && times', 'bash', command, ...words],
    {
      encoding: 'utf8',
      env: { ...process.env, SLIPWAY_HOME: state },
    },
  )
  const wall = Number(process.hrtime.bigint() - began) / 1e9
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`)
  const children = stdout.trim().split('\n').at(-1) ?? ''
  const cpu = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
  return { wall, cpu }
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN
}

function repeat(prepare: () => void, work: () => Measured): Measured {
  const all = Array.from({ length: runs }, () => {
    prepare()
    return work()
  })
  return { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)) }
}

const forget = (...names: string[]) => {
  for (const name of names) rmSync(join(state, name), { recursive: true, force: true })
}
const slipway = () => measure(process.execPath, program, 'base', 'build', 'run:base')

/** The same packages by mmdebstrap, with what they depend on by its own rules. */
function mmdebstrap(lock: BaseLock): Measured {
  const include = lock.packages.map(({ name }) => name).join(',')
  return measure(
    'mmdebstrap',
    '--mode=unshare',
    '--variant=custom',
    `--include=${include}`,
    'trixie',
    join(place, 'peer.tar'),
  )
}

try {
  if (!existsSync(program)) throw new Error('there is no bundle; run ./slipway version first')
  const fetching = slipway()
  const rows: [string, Measured][] = [
    ['everything fetched', fetching],
    ['packages fetched', repeat(() => forget('images', 'bases', 'packages'), slipway)],
    ['packages decoded', repeat(() => forget('images', 'bases'), slipway)],
    ['nothing changed', repeat(() => {}, slipway)],
  ]
  const locks = parseLocks(readFileSync('images/run-base.lock.json', 'utf8'), 'run-base.lock.json')
  const lock = locks.find(({ release, arch }) => release === 'trixie' && arch === 'amd64')
  if (spawnSync('mmdebstrap', ['--version']).error === undefined && lock) {
    const peer = repeat(
      () => {},
      () => mmdebstrap(lock),
    )
    rows.push(['mmdebstrap, same names', peer])
    for (const [name, { wall }] of rows.slice(1, -1))
      process.stdout.write(
        `mmdebstrap takes ${(peer.wall / wall).toFixed(1)} times as long as slipway (${name})\n`,
      )
  } else process.stdout.write('mmdebstrap is not installed here: no comparison\n')
  for (const [name, { wall, cpu }] of rows)
    process.stdout.write(`run:base, ${name.padEnd(24)} ${wall.toFixed(2)} s wall, ${cpu.toFixed(2)} s CPU\n`)
} finally {
  rmSync(place, { recursive: true, force: true })
}
