import { openGround } from './sandbox.ts'

/* Started on a terminal: runs code that tries to push input into it, and code that only asks for its size. */
await using ground = await openGround()
const code = `
import ctypes, errno, fcntl, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def ioctl(label, number, argument):
    ctypes.set_errno(0)
    result = libc.ioctl(ctypes.c_int(0), ctypes.c_ulong(number), argument)
    print(label + ': ' + ('done' if result >= 0 else errno.errorcode[ctypes.get_errno()]), flush=True)
print('terminal', os.isatty(0))
for letter in b'echo pushed\\n': ioctl('push', 0x5412, ctypes.byref(ctypes.c_char(letter)))
ioctl('push wide', 0x5412 | 1 << 32, ctypes.byref(ctypes.c_char(b'x')))
ioctl('paste', 0x541C, ctypes.byref(ctypes.c_char(2)))
ioctl('take', 0x540E, ctypes.c_int(1))
ioctl('size', 0x5413, ctypes.create_string_buffer(8))
try: print('controlling', os.open('/dev/tty', os.O_RDWR))
except OSError as error: print('controlling: ' + errno.errorcode[error.errno])
`
const { output } = await ground.run(['python3', '-c', code], { stdin: 'inherit' })
console.log(output)
