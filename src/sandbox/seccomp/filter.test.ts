import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Architecture, AUDIT_ARCHITECTURE, DENIED, INSPECTED } from './calls.ts'
import { seccompFilter } from './filter.ts'

const ALLOW = 0x7fff0000
const KILL = 0x80000000
const errno = (number: number) => 0x00050000 | number

/** Runs a filter on one system call as the kernel does (seccomp(2), bpf(4)). */
function judge(
  architecture: Architecture,
  number: number,
  words: readonly number[] = [],
  audit?: number,
): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number >>> 0, 0)
  data.writeUInt32LE(audit ?? AUDIT_ARCHITECTURE[architecture], 4)
  for (const [index, word] of words.entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(word)), 16 + 8 * index)
  const program = seccompFilter(architecture)
  let loaded = 0
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8)
    const [yes, no] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)]
    const operand = program.readUInt32LE(at * 8 + 4)
    if (code === 0x20) loaded = data.readUInt32LE(operand)
    else if (code === 0x54) loaded = (loaded & operand) >>> 0
    else if (code === 0x15) at += loaded === operand ? yes : no
    else if (code === 0x35) at += loaded >= operand ? yes : no
    else if (code === 0x45) at += (loaded & operand) !== 0 ? yes : no
    else if (code === 0x06) return operand
    else throw new Error(`an instruction ${code} that this kernel does not know`)
  }
}

for (const [column, architecture] of (['amd64', 'arm64'] as const).entries()) {
  describe(`the system-call filter for ${architecture}`, () => {
    const ask = (name: keyof typeof INSPECTED, ...words: number[]) =>
      judge(architecture, INSPECTED[name][column] as number, words)

    it('refuses every call of the list, and allows what programs live on', () => {
      for (const [name, numbers] of Object.entries(DENIED))
        if ((numbers[column] as number) >= 0)
          assert.equal(judge(architecture, numbers[column] as number), errno(1), name)
      for (const [read, write, open, exit] of [
        [
          [0, 63],
          [1, 64],
          [257, 56],
          [231, 94],
        ],
      ])
        for (const numbers of [read, write, open, exit])
          assert.equal(judge(architecture, (numbers as number[])[column] as number), ALLOW)
    })

    it('ends programs that speak for another architecture, and knows no newer calls', () => {
      assert.equal(judge(architecture, 0, [], 0x40000003), KILL)
      if (architecture === 'amd64') assert.equal(judge(architecture, 0x40000000), KILL)
      assert.equal(judge(architecture, 470), errno(38))
      assert.equal(ask('clone3'), errno(38))
    })

    it('lets threads and children be made, but no namespaces', () => {
      assert.equal(ask('clone', 0x3d0f00), ALLOW)
      assert.equal(ask('clone', 17), ALLOW)
      assert.equal(ask('unshare', 0x400), ALLOW)
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
        assert.equal(ask('clone', flag | 17), errno(1))
        assert.equal(ask('unshare', flag), errno(1))
      }
      assert.equal(ask('unshare', 0x80), errno(1))
    })

    it('looks at the half of an argument that the kernel reads', () => {
      assert.equal(ask('ioctl', 0, 0x5412), errno(1))
      assert.equal(ask('ioctl', 0, 0x100005412), errno(1))
      assert.equal(ask('ioctl', 0, 0x541c), errno(1))
      assert.equal(ask('ioctl', 0, 0x5413), ALLOW)
    })

    it('allows sockets of the internet, of this machine and for routes, none of them raw', () => {
      for (const family of [1, 2, 10]) assert.equal(ask('socket', family, 1 | 0o2000000, 0), ALLOW)
      assert.equal(ask('socket', 16, 3, 0), ALLOW)
      assert.equal(ask('socket', 16, 3, 9), errno(1))
      for (const type of [3, 10, 3 | 0o2000000]) assert.equal(ask('socket', 2, type, 1), errno(1))
      for (const family of [0, 17, 31, 38, 40, 44]) assert.equal(ask('socket', family, 1, 0), errno(97))
    })

    it('keeps addresses random', () => {
      for (const value of [0, 8, 0x20000, 0xffffffff]) assert.equal(ask('personality', value), ALLOW)
      assert.equal(ask('personality', 0x40000), errno(1))
    })
  })
}
