import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { constants, Script } from 'node:vm'
import { homeOf } from './home.ts'

/**
 * Starts the program with what V8 made of its text before: to compile it anew takes longer than many a command. Each command leaves the code of
 * the files that it loads in `<home>/code`, and only in its first runs, so that what it loads is just what it runs. Code of another bundle, another
 * Node.js or another user is not looked at; where none can be kept, all is compiled as if there were no such thing. A file of its own, run as it is bundled.
 */
const RUNS = 3

/** Set by the bundler: the digest of the program's text. */
declare const PROGRAM_DIGEST: string

interface Kept {
  /** By the file's name. */
  readonly code: ReadonlyMap<string, Buffer>
  /** How many runs went into it. */
  readonly runs: number
}

/** The digest, the release of Node.js and the machine. Then follow, as JSON, the runs and the length of each file's code; then the code. */
const HEAD = `slipway code ${PROGRAM_DIGEST} ${process.version} ${process.arch}\n`

function read(path: string): Kept | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const { uid, mode } = fstatSync(file)
      if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined
      const bytes = readFileSync(file)
      if (bytes.toString('latin1', 0, HEAD.length) !== HEAD) return undefined
      let offset = bytes.indexOf('\n', HEAD.length) + 1
      const { runs, lengths } = JSON.parse(bytes.toString('latin1', HEAD.length, offset))
      const code = new Map<string, Buffer>()
      for (const [name, length] of lengths) {
        code.set(name, bytes.subarray(offset, offset + length))
        offset += length
      }
      return { code, runs }
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** Beside its place, to the disk, and then there: V8 believes what it reads. */
function write(path: string, { code, runs }: Kept): void {
  const staged = `${path}.${process.pid}`
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 })
    const file = openSync(staged, 'wx', 0o644)
    try {
      const lengths = [...code].map(([name, { byteLength }]) => [name, byteLength])
      const head = `${HEAD}${JSON.stringify({ runs, lengths })}\n`
      writeFileSync(file, Buffer.concat([Buffer.from(head, 'latin1'), ...code.values()]))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(staged, path)
  } catch {
    rmSync(staged, { force: true })
  }
}

const [word = ''] = process.argv.slice(2)
const path = join(homeOf(process.env), 'code', /^[a-z]{1,20}$/.test(word) ? word : 'other')
const kept = read(path)
let runs = kept?.runs ?? 0
const scripts = new Map<string, Script>()
const loaded = new Map<string, { exports: unknown }>()

/** V8 forgets the code of what ran only at the start, that of whole files first; in runs whose code is kept it must not, or all of it would be parsed anew in each that follows. */
function forget(may: boolean): void {
  if (runs < RUNS)
    process.getBuiltinModule('node:v8').setFlagsFromString(may ? '--flush-bytecode' : '--no-flush-bytecode')
}

/** Runs a file of the program when it is first asked for; all else is Node.js's own. */
function load(name: string): unknown {
  if (!/^\.\/\w+\.js$/.test(name)) return require(name)
  const known = loaded.get(name)
  if (known) return known.exports
  const filename = join(__dirname, 'program', name)
  const text = readFileSync(filename, 'latin1')
  const cachedData = kept?.code.get(name)
  // V8 believes only code that was made under its own flags.
  forget(true)
  const script = new Script(text, {
    filename,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData && { cachedData }),
  })
  if (script.cachedDataRejected) runs = 0
  forget(false)
  scripts.set(name, script)
  const module = { exports: {} }
  loaded.set(name, module)
  script.runInThisContext()(load, module, module.exports, __dirname)
  return module.exports
}

load('./main.js')
process.once('exit', exitCode => {
  if (runs >= RUNS || exitCode !== 0) return
  forget(true)
  const code = [...scripts].map(([name, script]): [string, Buffer] => [name, script.createCachedData()])
  write(path, { code: new Map(code), runs: runs + 1 })
})
