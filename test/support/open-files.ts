import { readFileSync } from 'node:fs'
import { openGround } from './sandbox.ts'

/* Started with a file of the host open at a number that is not closed on exec. Tells what is to be read there outside, and inside. */
const NUMBER = 60
console.log(`outside: ${readFileSync(`/proc/self/fd/${NUMBER}`, 'utf8')}`)
await using ground = await openGround()
const code = `
import os
for name in os.listdir('/proc/self/fd'):
    try: print('fd', name, os.readlink('/proc/self/fd/' + name), os.pread(int(name), 100, 0))
    except OSError: pass
    try: os.write(int(name), b'changed')
    except OSError: pass
print('inside: done')
`
const { output } = await ground.run(['python3', '-c', code])
console.log(output)
