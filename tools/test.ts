import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Runs every unit test (`*.test.ts` beside its source) in this one process. Arguments filter by path.
 * Unit tests may not touch what the process shares: working directory, environment, timers.
 */
const roots = ['src', 'buildpacks', 'tools']
const filters = process.argv.slice(2)

for (const root of roots) {
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(root, file)
    if (!file.endsWith('.test.ts') || path.includes('node_modules') || path.includes('/dist/')) continue
    if (filters.length > 0 && !filters.some(filter => path.includes(filter))) continue
    await import(resolve(path))
  }
}
