import type { Architecture } from './lock.ts'
import { type BaseTree, putDirectory, putFile, putLink } from './tree.ts'

/** The user that applications and buildpacks run as. */
export const CNB = { uid: 1001, gid: 1001 } as const

/** Accounts, the merged file system, and the directories where things are mounted or written. */
export function putGround(tree: BaseTree, role: 'run' | 'build' | 'tool', arch: Architecture): void {
  for (const name of ['bin', 'sbin', 'lib', ...(arch === 'amd64' ? ['lib64'] : [])]) {
    putLink(tree, name, `usr/${name}`)
    putDirectory(tree, `usr/${name}`)
  }
  const shell = tree.has('usr/bin/bash') ? '/bin/bash' : '/sbin/nologin'
  putFile(
    tree,
    'etc/passwd',
    [
      `root:x:0:0:root:/root:${shell}`,
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      `cnb:x:${CNB.uid}:${CNB.gid}:cnb:/home/cnb:${shell}`,
      '',
    ].join('\n'),
  )
  putFile(
    tree,
    'etc/group',
    ['root:x:0:', 'tty:x:5:', 'mail:x:8:', 'staff:x:50:', 'nogroup:x:65534:', `cnb:x:${CNB.gid}:`, ''].join(
      '\n',
    ),
  )
  putFile(tree, 'etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n')
  putFile(tree, 'etc/hostname', 'localhost\n')
  putFile(tree, 'etc/resolv.conf', '')
  putDirectory(tree, 'root', 0o700)
  putDirectory(tree, 'tmp', 0o1777)
  putDirectory(tree, 'var/tmp', 0o1777)
  for (const path of ['run', 'proc', 'dev', 'sys', 'home']) putDirectory(tree, path)
  putDirectory(tree, 'home/cnb', 0o755, CNB.uid, CNB.gid)
  for (const path of ['workspace', 'layers']) putDirectory(tree, path, 0o755, CNB.uid, CNB.gid)
  if (role === 'build') {
    for (const path of ['platform', 'cnb', 'cnb/buildpacks', 'cnb/node', 'cnb/lifecycle'])
      putDirectory(tree, path)
  }
}
