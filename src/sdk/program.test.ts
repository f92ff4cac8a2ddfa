import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryDirectory } from '#std'
import { openLog } from './log.ts'
import { outputOfProgram, runProgram } from './program.ts'

function recorded() {
  const parts: string[] = []
  return { log: openLog(text => void parts.push(text)), text: () => parts.join('') }
}

const sh = async (script: string, environment: Record<string, string | undefined> = {}) => {
  const { log, text } = recorded()
  await runProgram('/bin/sh', ['-c', script], { directory: tmpdir(), environment, log })
  return text()
}

describe('runProgram', () => {
  it('passes output through, indented, and ends an open last line', async () => {
    assert.equal(await sh('printf "one\\n\\ntwo"'), '      one\n\n      two\n')
    assert.equal(await sh('echo wrong >&2'), '      wrong\n')
  })

  it('gives the program the environment that it is handed, and no input', async () => {
    assert.equal(await sh('echo "$A-$B-$HOME"; cat', { A: 'x', B: undefined }), '      x--\n')
  })

  it('can give back what a program prints, and logs only its complaints', async () => {
    const { log, text } = recorded()
    const options = { directory: tmpdir(), environment: {}, log }
    assert.equal(await outputOfProgram('/bin/sh', ['-c', 'echo one; echo two >&2'], options), 'one\n')
    assert.equal(text(), '      two\n')
    await assert.rejects(outputOfProgram('/bin/sh', ['-c', 'exit 2'], options), { code: 'PROGRAM_FAILED' })
  })

  it('says how a program ended, and which', async () => {
    await assert.rejects(sh('exit 3'), {
      code: 'PROGRAM_FAILED',
      what: /exit 3/,
      why: 'it ended with exit code 3',
    })
    await assert.rejects(sh('kill -9 $$'), { code: 'PROGRAM_FAILED', why: /SIGKILL/ })
  })

  it('says when there is no program', async () => {
    await using directory = await temporaryDirectory(tmpdir())
    const { log } = recorded()
    const options = { directory: directory.path, environment: {}, log }
    await assert.rejects(runProgram(join(directory.path, 'none'), [], options), { code: 'PROGRAM_MISSING' })
    const odd = join(directory.path, 'odd')
    await writeFile(odd, '#!/no/such/interpreter\n')
    await chmod(odd, 0o755)
    await assert.rejects(runProgram(odd, [], options), { code: 'PROGRAM_MISSING' })
  })
})
