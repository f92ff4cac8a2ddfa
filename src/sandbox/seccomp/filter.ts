import {
  and,
  answer,
  assemble,
  type Instruction,
  load,
  unlessEqual,
  whenAnyBit,
  whenAtLeast,
  whenEqual,
} from './bpf.ts'
import {
  type Architecture,
  AUDIT_ARCHITECTURE,
  DENIED,
  INSPECTED,
  LAST_KNOWN_CALL,
  type Numbers,
} from './calls.ts'

/** Offsets in `struct seccomp_data` (linux/seccomp.h). An argument's low half is all that the kernel reads of an `int`. */
const NUMBER = 0
const ARCHITECTURE = 4
const argument = (index: number) => 16 + index * 8

const ALLOW = answer(0x7fff0000)
const KILL_PROCESS = answer(0x80000000)
const refuse = (errno: number) => answer(0x00050000 | errno)
const NOT_PERMITTED = refuse(1)
const NO_SUCH_CALL = refuse(38)
const NO_SUCH_FAMILY = refuse(97)

/** Every `CLONE_NEW*` flag of clone(2); unshare(2) adds `CLONE_NEWTIME`. */
const NEW_NAMESPACES = 0x7e020000
const NEW_TIME_NAMESPACE = 0x80

/** ioctls that push input into a terminal, or speak to the console (ioctl_tty(2)). */
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

/** Socket families that are allowed, and the types that are not (raw packets). */
const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const SOCKET_TYPE = 0xf
const SOCK_RAW = 3
const SOCK_PACKET = 10

/** personality(2) values that change nothing that matters: plain Linux, 32-bit names, and the question. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

/** Numbers from here on are x32 calls on amd64: another architecture in the same clothes. */
const X32 = 0x40000000

/**
 * The system-call filter of the sandbox, as the bytes that `bwrap --seccomp FD` reads. Calls of another architecture end the process; denied ones
 * fail with EPERM; clone3 (whose flags a filter cannot see) and calls newer than this list fail with ENOSYS, so that programs use older ways.
 */
export function seccompFilter(architecture: Architecture): Buffer {
  const column = architecture === 'amd64' ? 0 : 1
  const on = (numbers: Numbers, body: readonly Instruction[]) =>
    numbers[column] < 0 ? [] : whenEqual(numbers[column], body)
  return assemble([
    load(ARCHITECTURE),
    ...unlessEqual(AUDIT_ARCHITECTURE[architecture], [KILL_PROCESS]),
    load(NUMBER),
    ...(architecture === 'amd64' ? whenAtLeast(X32, [KILL_PROCESS]) : []),
    ...whenAtLeast(LAST_KNOWN_CALL + 1, [NO_SUCH_CALL]),
    ...on(INSPECTED.clone3, [NO_SUCH_CALL]),
    ...on(INSPECTED.clone, [load(argument(0)), ...whenAnyBit(NEW_NAMESPACES, [NOT_PERMITTED]), ALLOW]),
    ...on(INSPECTED.unshare, [
      load(argument(0)),
      ...whenAnyBit(NEW_NAMESPACES | NEW_TIME_NAMESPACE, [NOT_PERMITTED]),
      ALLOW,
    ]),
    ...on(INSPECTED.ioctl, [
      load(argument(1)),
      ...whenEqual(TIOCSTI, [NOT_PERMITTED]),
      ...whenEqual(TIOCLINUX, [NOT_PERMITTED]),
      ALLOW,
    ]),
    ...on(INSPECTED.socket, sockets()),
    ...on(INSPECTED.personality, [
      load(argument(0)),
      ...PERSONALITIES.flatMap(value => whenEqual(value, [ALLOW])),
      NOT_PERMITTED,
    ]),
    ...Object.values(DENIED).flatMap(numbers => on(numbers, [NOT_PERMITTED])),
    ALLOW,
  ])
}

function sockets(): Instruction[] {
  const packets = [
    load(argument(1)),
    and(SOCKET_TYPE),
    ...whenEqual(SOCK_RAW, [NOT_PERMITTED]),
    ...whenEqual(SOCK_PACKET, [NOT_PERMITTED]),
    ALLOW,
  ]
  const routes = [load(argument(2)), ...whenEqual(0, [ALLOW]), NOT_PERMITTED]
  return [
    load(argument(0)),
    ...whenEqual(AF_UNIX, [ALLOW]),
    ...whenEqual(AF_INET, packets),
    ...whenEqual(AF_INET6, packets),
    ...whenEqual(AF_NETLINK, routes),
    NO_SUCH_FAMILY,
  ]
}

/** The architecture of this process in the words of images, or undefined where there is no filter for it. */
export function filterArchitecture(nodeArchitecture: string): Architecture | undefined {
  if (nodeArchitecture === 'x64') return 'amd64'
  return nodeArchitecture === 'arm64' ? 'arm64' : undefined
}
