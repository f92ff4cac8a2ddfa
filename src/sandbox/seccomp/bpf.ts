/** One classic BPF instruction as seccomp(2) takes it: code, two jump distances, one operand. */
export interface Instruction {
  readonly code: number
  readonly yes: number
  readonly no: number
  readonly operand: number
}

const LOAD_WORD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const JUMP_ANY_BIT = 0x45
const AND = 0x54
const RETURN = 0x06

/** Loads the 32-bit word at an offset of `struct seccomp_data`. */
export const load = (offset: number): Instruction => ({ code: LOAD_WORD, yes: 0, no: 0, operand: offset })

/** Keeps only the bits of a mask of what was loaded. */
export const and = (mask: number): Instruction => ({ code: AND, yes: 0, no: 0, operand: mask })

/** Ends the filter with an answer. */
export const answer = (action: number): Instruction => ({ code: RETURN, yes: 0, no: 0, operand: action })

/** Goes on with `body` if what was loaded equals the value, else behind it. */
export const whenEqual = (value: number, body: readonly Instruction[]): Instruction[] => [
  { code: JUMP_EQUAL, yes: 0, no: near(body.length), operand: value },
  ...body,
]

/** Goes on with `body` unless what was loaded equals the value. */
export const unlessEqual = (value: number, body: readonly Instruction[]): Instruction[] => [
  { code: JUMP_EQUAL, yes: near(body.length), no: 0, operand: value },
  ...body,
]

/** Goes on with `body` if what was loaded, as an unsigned number, is the value or more. */
export const whenAtLeast = (value: number, body: readonly Instruction[]): Instruction[] => [
  { code: JUMP_AT_LEAST, yes: 0, no: near(body.length), operand: value },
  ...body,
]

/** Goes on with `body` if what was loaded has any bit of the mask. */
export const whenAnyBit = (mask: number, body: readonly Instruction[]): Instruction[] => [
  { code: JUMP_ANY_BIT, yes: 0, no: near(body.length), operand: mask },
  ...body,
]

/** The bytes of `struct sock_filter[]`, little-endian (amd64 and arm64 both are). */
export function assemble(program: readonly Instruction[]): Buffer {
  if (program.length > 4096)
    throw new Error(`a filter of ${program.length} instructions is too long for the kernel`)
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, { code, yes, no, operand }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(yes, index * 8 + 2)
    bytes.writeUInt8(no, index * 8 + 3)
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4)
  }
  return bytes
}

function near(distance: number): number {
  if (distance > 255) throw new Error(`a jump over ${distance} instructions is too far`)
  return distance
}
