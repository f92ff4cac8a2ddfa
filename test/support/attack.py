# What every attack begins with: system calls by number, and ways to say in one word how something went.
import ctypes, errno, os, platform, signal, socket, stat, subprocess, sys, time

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_column = 0 if platform.machine() == 'x86_64' else 1


def call(numbers, *arguments):
    """Makes a system call (number on amd64, on arm64); returns its result, or the name of its error."""
    ctypes.set_errno(0)
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = _libc.syscall(ctypes.c_long(numbers[_column]), *words)
    return errno.errorcode.get(ctypes.get_errno(), 'E?') if result < 0 else result


def attempt(label, work):
    """Says `label: done` or `label: EPERM`."""
    try:
        result = work()
        print(f'{label}: {result if isinstance(result, str) and result.startswith("E") else "done"}', flush=True)
    except OSError as error:
        print(f'{label}: {errno.errorcode.get(error.errno, error.errno)}', flush=True)


def read(path):
    with open(path, 'rb') as file:
        return file.read(1 << 20)


def processes():
    return [name for name in os.listdir('/proc') if name.isdigit()]
