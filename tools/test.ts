import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe } from 'node:test'
import { memoryDirectory } from './memory-directory.ts'

/**
 * Runs every unit test (`*.test.ts` beside its source) in this one process. Arguments filter by path; `--half=1` and `--half=2`
 * are every second file, for two processes at once. A few files run at once, as many tests wait for programs that they start;
 * within a file, one test after the other.
 * Unit tests may not touch what the process shares: working directory, environment, timers.
 */
const AT_ONCE = 3
const roots = ['src', 'buildpacks', 'tools']
const words = process.argv.slice(2)
const half = words.find(word => word.startsWith('--half='))?.at(-1)
const filters = words.filter(word => !word.startsWith('--'))

// Tests make thousands of directories, of which none has to last.
const memory = memoryDirectory()
if (memory) process.env.TMPDIR = memory

// What a test writes need not outlive a power cut: four thousand waits for the disk are left out.
const handle = await open('package.json')
Object.assign(Object.getPrototypeOf(handle), { sync: async () => {} })
await handle.close()

const files = roots
  .flatMap(root => readdirSync(root, { recursive: true, encoding: 'utf8' }).map(file => join(root, file)))
  .filter(path => path.endsWith('.test.ts') && !path.includes('node_modules') && !path.includes('/dist/'))
  .filter(path => filters.length === 0 || filters.some(filter => path.includes(filter)))
  .sort()
  .filter((_, index) => half === undefined || index % 2 === Number(half) - 1)

describe('unit tests', { concurrency: AT_ONCE }, () => {
  for (const path of files) describe(path, { concurrency: 1 }, () => import(resolve(path)))
})
