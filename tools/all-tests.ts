import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Everything `npm test` runs: lint and types, the unit tests in one process, the launcher's Go tests, then the integration
 * tests and stories, a process a file. Prints what each step says and closes with `N passed, N failed`.
 * Arguments: `--unit` leaves the slow part out; a word filters integration files by name.
 */
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
    { name: 'lint', command: 'npx', arguments: ['--no-install', 'biome', 'ci', '--colors=off'] },
    { name: 'types', command: 'npx', arguments: ['--no-install', 'tsc', '-b'] },
    {
      name: 'unit tests',
      command: node,
      arguments: ['--import', 'tsx', reporter, 'tools/test.ts'],
      count: countNodeTests,
    },
  ]
  if (words.includes('--unit')) return unit
  const filters = words.filter(word => !word.startsWith('--'))
  const files = ['test/integration', 'test/interop'].flatMap(directory =>
    readdirSync(directory)
      .filter(file => file.endsWith('.test.ts'))
      .map(file => join(directory, file))
      .filter(file => filters.length === 0 || filters.some(word => file.includes(word)))
      .sort(),
  )
  const integration = files.map(file => ({
    name: file.replace(/^test\/(.*)\.test\.ts$/, '$1'),
    command: node,
    arguments: ['--import', 'tsx', '--test', '--test-timeout=1500000', reporter, file],
    count: countNodeTests,
  }))
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

async function runStep(step: Step): Promise<{ output: string; code: number }> {
  const child = spawn(step.command, step.arguments, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    output += text
    process.stdout.write(text)
  })
  const code = await new Promise<number>(done => child.on('close', status => done(status ?? 1)))
  return { output, code }
}

let passed = 0
let failed = 0
let skipped = 0
const failures: string[] = []
for (const step of steps(process.argv.slice(2))) {
  const start = performance.now()
  process.stdout.write(`\n=== ${step.name}\n`)
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
  process.stdout.write(
    `=== ${step.name}: ${counted.passed} passed, ${counted.failed} failed (${((performance.now() - start) / 1000).toFixed(1)} s)\n`,
  )
}
if (failures.length > 0) process.stdout.write(`\nFailed: ${failures.join(', ')}\n`)
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
