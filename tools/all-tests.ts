import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'

/**
 * Everything `npm test` runs: lint and types, the unit tests in two processes, the launcher's Go tests, the integration tests
 * and stories, a process a file. Two steps at once where there are two cores: most wait for one program at a time. Each
 * step's words are printed together when it has ended, and the last line is `N passed, N failed`.
 * Arguments: `--unit` leaves the slow part out; a word filters integration files by name.
 */
const AT_ONCE = Math.min(2, availableParallelism())

/** Milliseconds after which a step hangs, and is ended. */
const PATIENCE = 1_500_000

/** They count or take away what all stories keep together: no other story runs beside them. They come first. */
const DISTURBING = ['build-state', 'unchanged', 'run', 'rebase', 'build-input', 'compare']

/** They keep their state to themselves, and may run beside anything; the longest first. */
const APART = [
  ...[
    'sdk-buildpack',
    'ready-answers',
    'runtimes',
    'sandbox-limits',
    'sandbox',
    'store',
    'launcher',
    'phases',
    'phases-oracle',
  ],
  ...['registry', 'packaging', 'tar-oracle', 'registry-faults', 'registry-credentials', 'export-memory'],
  ...['sandbox-plain', 'layers-oracle', 'registry-memory', 'images', 'export-oracle', 'launcher-oracle'],
]

/** Other stories that take long, the longest first, so that none of them is left to be waited for alone. */
const LONGEST = [
  ...['docs', 'reproducible', 'base', 'samples', 'default-builder', 'matrix', 'build-buildpacks', 'go'],
  'nodejs',
]
const ORDER = [...DISTURBING, ...APART, ...LONGEST]

interface Step {
  readonly name: string
  readonly command: string
  readonly arguments: string[]
  /** How to count tests in the output; a step without one counts as a single test. */
  readonly count?: (output: string) => { passed: number; failed: number; skipped: number }
}

const countNodeTests = (output: string) => ({
  passed: sum(output, /^ℹ pass (\d+)$/gm),
  failed: sum(output, /^ℹ fail (\d+)$/gm) + sum(output, /^ℹ cancelled (\d+)$/gm),
  skipped: sum(output, /^ℹ skipped (\d+)$/gm),
})
const countGoTests = (output: string) => ({
  passed: [...output.matchAll(/^ *--- PASS/gm)].length,
  failed: [...output.matchAll(/^ *--- FAIL/gm)].length,
  skipped: [...output.matchAll(/^ *--- SKIP/gm)].length,
})

function sum(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0)
}

function steps(words: string[]): Step[] {
  const node = process.execPath
  const reporter = '--test-reporter=spec'
  const unit: Step[] = [
    ...['1', '2'].map(half => ({
      name: `unit tests ${half}`,
      command: node,
      arguments: [reporter, 'tools/test.mjs', `--half=${half}`],
      count: countNodeTests,
    })),
    { name: 'lint', command: 'npx', arguments: ['--no-install', 'biome', 'ci', '--colors=off'] },
    // What a block's end disposes must not be needed any more: no promise of the block may be returned unawaited.
    {
      name: 'promises',
      command: 'npx',
      arguments: ['--no-install', 'oxlint', '--type-aware', 'src', 'buildpacks', 'test', 'tools', 'bench'],
    },
    { name: 'types', command: 'npx', arguments: ['--no-install', 'tsc', '-b'] },
  ]
  if (words.includes('--unit')) return unit
  const filters = words.filter(word => !word.startsWith('--'))
  const files = ['test/integration', 'test/interop'].flatMap(directory =>
    readdirSync(directory)
      .filter(file => file.endsWith('.test.ts'))
      .map(file => join(directory, file))
      .sort(),
  )
  const gone = ORDER.filter(name => !files.some(file => basename(file, '.test.ts') === name))
  if (gone.length > 0) throw new Error(`There are no tests ${gone.join(', ')} any more`)
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  const integration = files
    .filter(file => filters.length === 0 || filters.some(word => file.includes(word)))
    .map(file => ({
      name: file.replace(/^test\/(.*)\.test\.ts$/, '$1'),
      command: node,
      arguments: ['--import', 'tsx', reporter, file],
      count: countNodeTests,
    }))
    .sort((a, b) => place(basename(a.name)) - place(basename(b.name)))
  if (filters.length > 0) return integration
  return [
    ...unit,
    {
      name: 'launcher',
      command: node,
      arguments: ['--import', 'tsx', 'tools/test-launcher.ts'],
      count: countGoTests,
    },
    ...integration,
  ]
}

/** Runs a step to its end; what it says on both streams, in the order in which it says it. */
async function runStep(step: Step): Promise<{ output: string; code: number }> {
  const child = spawn(step.command, step.arguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number>(done => child.on('close', status => done(status ?? 1)))
  return { output, code }
}

let passed = 0
let failed = 0
let skipped = 0
const failures: string[] = []
const queue = steps(process.argv.slice(2))
const running = new Set<Step>()
const ends = new EventEmitter()

const disturb = ({ name: one }: Step, { name: other }: Step) =>
  isStory(one) && DISTURBING.includes(basename(one)) && isStory(other)
const isStory = (name: string) => name.includes('/') && !APART.includes(basename(name))

/** The next step that no running one disturbs, nor it them; undefined where none is left. */
async function next(): Promise<Step | undefined> {
  while (queue.length > 0) {
    const index = queue.findIndex(step =>
      [...running].every(one => !disturb(one, step) && !disturb(step, one)),
    )
    const [step] = index >= 0 ? queue.splice(index, 1) : []
    if (step) {
      running.add(step)
      return step
    }
    await once(ends, 'end')
  }
  return undefined
}

async function work(): Promise<void> {
  for (let step = await next(); step; step = await next()) {
    const start = performance.now()
    const { output, code } = await runStep(step)
    const counted = step.count?.(output) ?? {
      passed: code === 0 ? 1 : 0,
      failed: code === 0 ? 0 : 1,
      skipped: 0,
    }
    // A step that ends badly without naming a failed test has failed all the same.
    if (code !== 0 && counted.failed === 0) counted.failed = 1
    passed += counted.passed
    failed += counted.failed
    skipped += counted.skipped
    if (counted.failed > 0) failures.push(step.name)
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    process.stdout.write(
      `\n=== ${step.name}\n${output}=== ${step.name}: ${counted.passed} passed, ${counted.failed} failed (${seconds} s)\n`,
    )
    running.delete(step)
    ends.emit('end')
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work))
if (failures.length > 0) process.stdout.write(`\nFailed: ${failures.join(', ')}\n`)
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
