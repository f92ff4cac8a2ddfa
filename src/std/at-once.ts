import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import type * as promises from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

/*
 * `node:fs/promises` as the bundled program has it (`tools/at-once.ts`): the calls that are short do their work before they answer. To hand one to Node's thread pool and back takes
 * several times longer than the call itself, and a build makes hundreds, one after the other. What may take long stays as it is: copies, and files that are held open.
 */

export { appendFile, constants, copyFile, cp, open, opendir } from 'node:fs/promises'

/** Milliseconds after which timers, signals and other work get their turn. */
const TURN = 10
let began = performance.now()

function atOnce(call: (...given: never[]) => unknown) {
  return async (...given: never[]): Promise<unknown> => {
    if (performance.now() - began > TURN) {
      await setImmediate()
      began = performance.now()
    }
    return call(...given)
  }
}

/** Never waits for a writer, should the file be a FIFO; a path is opened, a descriptor or handle is somebody else's. */
function readNow(
  file: string | Buffer,
  options?: { encoding?: BufferEncoding; flag?: string } | BufferEncoding,
) {
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return readFileSync(opened, options)
  } finally {
    closeSync(opened)
  }
}

export const access = atOnce(accessSync) as typeof promises.access
export const chmod = atOnce(chmodSync) as typeof promises.chmod
export const chown = atOnce(chownSync) as typeof promises.chown
export const lchown = atOnce(lchownSync) as typeof promises.lchown
export const link = atOnce(linkSync) as typeof promises.link
export const lstat = atOnce(lstatSync) as typeof promises.lstat
export const lutimes = atOnce(lutimesSync) as typeof promises.lutimes
export const mkdir = atOnce(mkdirSync) as typeof promises.mkdir
export const mkdtemp = atOnce(mkdtempSync) as typeof promises.mkdtemp
export const readdir = atOnce(readdirSync) as typeof promises.readdir
export const readFile = atOnce(readNow) as typeof promises.readFile
export const readlink = atOnce(readlinkSync) as typeof promises.readlink
export const realpath = atOnce(realpathSync.native) as typeof promises.realpath
export const rename = atOnce(renameSync) as typeof promises.rename
export const rm = atOnce(rmSync) as typeof promises.rm
export const rmdir = atOnce(rmdirSync) as typeof promises.rmdir
export const stat = atOnce(statSync) as typeof promises.stat
export const statfs = atOnce(statfsSync) as typeof promises.statfs
export const symlink = atOnce(symlinkSync) as typeof promises.symlink
export const truncate = atOnce(truncateSync) as typeof promises.truncate
export const unlink = atOnce(unlinkSync) as typeof promises.unlink
export const utimes = atOnce(utimesSync) as typeof promises.utimes
export const writeFile = atOnce(writeFileSync) as typeof promises.writeFile
