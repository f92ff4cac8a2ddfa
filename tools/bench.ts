import { existsSync, readdirSync } from 'node:fs'

/** Runs a program of `bench/` by name, or says which there are: `npm run bench overhead`. */
const [, , name, ...words] = process.argv
const known = readdirSync('bench')
  .filter(file => file.endsWith('.ts'))
  .map(file => file.replace('.ts', ''))
if (name === undefined || !existsSync(`bench/${name}.ts`)) {
  console.error(`Say which: ${known.sort().join(', ')}`)
  process.exitCode = 2
} else {
  process.argv.splice(2, process.argv.length, ...words)
  await import(`../bench/${name}.ts`)
}
