import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
const ROOM = 2 ** 30

/** A fresh directory in memory, gone when this process ends; undefined where there is none with room, or none that programs can be started from. */
export function memoryDirectory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    if (bavail * bsize < ROOM) return undefined
    const directory = mkdtempSync(join(MEMORY, 'slipway-tests-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    const program = join(directory, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    return spawnSync(program).status === 0 ? directory : undefined
  } catch {
    return undefined
  }
}
