import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findUser } from '../run/image-user.ts'
import { requireProgram } from '../run/program-check.ts'
import { findInRoot, readInRoot } from './root-files.ts'

describe('files of an image', () => {
  const place = mkdtempSync(join(tmpdir(), 'root-files-'))
  after(() => rmSync(place, { recursive: true, force: true }))
  const [low, high] = [join(place, 'low'), join(place, 'high')]
  const lower = [low, high]
  for (const path of ['low/etc', 'low/usr/bin', 'high/etc', 'high/opt'])
    mkdirSync(join(place, path), { recursive: true })
  writeFileSync(join(place, 'outside'), 'of the host')
  writeFileSync(
    join(low, 'etc/passwd'),
    'root:x:0:0::/root:/bin/sh\nbroken\ncnb:x:1001:1002::/home/cnb:\nodd:x:7:7::relative:\n',
  )
  writeFileSync(join(high, 'etc/group'), 'staff:x:50:\nbroken:x\n')
  writeFileSync(join(low, 'usr/bin/tool'), '', { mode: 0o755 })
  writeFileSync(join(low, 'usr/bin/data'), '', { mode: 0o644 })
  symlinkSync('usr/bin', join(low, 'bin'))
  symlinkSync('/etc/passwd', join(high, 'opt/passwd'))
  symlinkSync(`../../../../../..${place}/outside`, join(high, 'opt/up'))
  symlinkSync(join(place, 'outside'), join(high, 'opt/out'))
  symlinkSync('loop', join(high, 'opt/loop'))
  writeFileSync(join(high, 'hides'), '')
  mkdirSync(join(low, 'hides'))
  writeFileSync(join(low, 'hides/below'), '')

  it('are found through links within the root, the highest layer first', async () => {
    assert.equal((await findInRoot(lower, '/bin/tool'))?.inside, '/usr/bin/tool')
    assert.match((await readInRoot(lower, '/opt/passwd')) ?? '', /^root/)
    assert.equal((await findInRoot(lower, '/opt/../etc/./group'))?.host, join(high, 'etc/group'))
    assert.equal(await findInRoot(lower, '/hides/below'), undefined)
  })

  it('are never found outside of it, nor without end', async () => {
    for (const path of ['/opt/up', '/opt/out', '/../outside', '/opt/loop', `/../../..${place}/outside`])
      assert.equal(await readInRoot(lower, path), undefined, path)
  })

  it('tell who a user is', async () => {
    const plain = async (text: string) => {
      const { uid, gid, home } = await findUser(lower, text)
      return [uid, gid, home]
    }
    assert.deepEqual(await plain(''), [0, 0, '/root'])
    assert.deepEqual(await plain('cnb'), [1001, 1002, '/home/cnb'])
    assert.deepEqual(await plain('1001'), [1001, 1002, '/home/cnb'])
    assert.deepEqual(await plain('cnb:staff'), [1001, 50, '/home/cnb'])
    assert.deepEqual(await plain('4000:4001'), [4000, 4001, '/'])
    assert.deepEqual(await plain('odd'), [7, 7, '/'])
    for (const text of [
      'nobody',
      '4294967296',
      '2147483648',
      '-1',
      '+1',
      '00000000000000000000',
      'cnb:',
      'cnb:broken',
      'a:b:c',
      'root:x',
    ])
      await assert.rejects(findUser(lower, text), { code: 'RUN_USER_UNKNOWN' }, text)
  })

  it('tell whether a program is there', async () => {
    const look = (program: string, path = '/nowhere:/bin') =>
      requireProgram(lower, program, { path, cwd: '/usr', hidden: ['/mnt'] })
    for (const program of ['tool', '/bin/tool', 'bin/tool', '/mnt/anything']) await look(program)
    await assert.rejects(look('data'), { code: 'RUN_PROGRAM_NOT_EXECUTABLE', exitCode: 126 })
    await assert.rejects(look('/usr/bin'), { code: 'RUN_PROGRAM_NOT_EXECUTABLE', exitCode: 126 })
    await assert.rejects(look('missing'), { code: 'RUN_PROGRAM_MISSING', exitCode: 127 })
    await assert.rejects(look('tool', '/sbin'), { code: 'RUN_PROGRAM_MISSING', exitCode: 127 })
  })
})
