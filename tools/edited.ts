import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/** The library for package URLs makes a collator as soon as it is loaded, which takes 20 ms, to sort a few English words. */
export const noCollator = edited(
  /packageurl-js\/src\/strings\.js$/,
  'const { compare: localeCompare } = new Intl.Collator()',
  'const localeCompare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)',
)

/** The library for words of commands loads what starts programs, which it does for no command of ours. */
export const noPrograms = edited(
  /commander\/lib\/command\.js$/,
  "const childProcess = require('node:child_process')",
  "const childProcess = { spawn: (...words) => require('node:child_process').spawn(...words) }",
)

/** Changes a line of a library. */
function edited(filter: RegExp, line: string, instead: string): Plugin {
  return {
    name: 'edited',
    setup({ onLoad }) {
      onLoad({ filter }, async ({ path }) => {
        const text = await readFile(path, 'utf8')
        if (!text.includes(line)) throw new Error(`${path} has changed: is there still ${line}?`)
        return { contents: text.replace(line, instead), loader: 'js' }
      })
    },
  }
}
