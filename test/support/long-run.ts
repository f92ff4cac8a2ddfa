import { openGround } from './sandbox.ts'

/* Runs a program that stays, under the name given, with a child that has left its session; says so once both are there. */
const ground = await openGround()
const code = `
import os, sys, time
if os.fork() == 0:
    os.setsid()
    os.execve('/usr/bin/python3', [sys.argv[1], '-c', 'import time; print("up", flush=True); time.sleep(1000)'], {})
time.sleep(1000)
`
await ground.run(['python3', '-c', code, process.argv[2] as string], {
  stdout: bytes => void process.stdout.write(bytes),
  limits: { processes: 50 },
})
