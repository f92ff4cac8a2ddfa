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
import { setFlagsFromString } from 'node:v8'
import { constants, Script } from 'node:vm'
import { homeOf } from './home.ts'

/**
 * Starts the program with what V8 made of its text before: to compile it anew takes longer than many a command. Each command leaves its own
 * code in `<home>/code`, and only in its first runs, so that what it loads is just what it runs. Code of another bundle, another Node.js or
 * another user is not looked at; where none can be kept, all is compiled as if there were no such thing. A file of its own, run as it is bundled.
 */
const RUNS = 3

/** Set by the bundler: the digest of the program's text. */
declare const PROGRAM_DIGEST: string

interface Kept {
  readonly code: Buffer
  /** How many runs went into it. */
  readonly runs: number
}

/** The digest, the release of Node.js and the machine; then a digit for the runs; then the code. */
const HEAD = `slipway code ${PROGRAM_DIGEST} ${process.version} ${process.arch}\n`

function read(path: string): Kept | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const { uid, mode } = fstatSync(file)
      if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined
      const bytes = readFileSync(file)
      if (bytes.toString('latin1', 0, HEAD.length) !== HEAD) return undefined
      return {
        code: bytes.subarray(HEAD.length + 1),
        runs: Number(bytes.toString('latin1', HEAD.length, HEAD.length + 1)),
      }
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
      writeFileSync(file, Buffer.concat([Buffer.from(`${HEAD}${runs}`, 'latin1'), code]))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(staged, path)
  } catch {
    rmSync(staged, { force: true })
  }
}

const filename = join(__dirname, 'program.js')
const [word = ''] = process.argv.slice(2)
const path = join(homeOf(process.env), 'code', /^[a-z]{1,20}$/.test(word) ? word : 'other')
const kept = read(path)
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(kept && { cachedData: kept.code }),
})
const runs = kept && !script.cachedDataRejected ? kept.runs : 0
if (runs < RUNS) {
  // V8 forgets the code of what ran only at the start, this whole file's first: then all of it would be parsed anew in each run that follows.
  setFlagsFromString('--no-flush-bytecode')
  process.once('exit', exitCode => {
    // It believes only code that was made under its own flags.
    setFlagsFromString('--flush-bytecode')
    if (exitCode === 0) write(path, { code: script.createCachedData(), runs: runs + 1 })
  })
}
script.runInThisContext()(require, __dirname, filename)
