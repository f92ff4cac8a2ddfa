import { javaTruststoreFromPem } from '#std'
import { type BaseTree, type Content, putDirectory, putFile, putLink } from './tree.ts'

/** What a step may look at besides the tree. */
export interface StepContext {
  /** The bytes of a file of the tree. */
  read(content: Content): Promise<Buffer>
}

type Step = (tree: BaseTree, context: StepContext) => void | Promise<void>

/** The revision of this table; it is part of what names an assembled base. */
export const STEPS_REVISION = 1

/** What the maintainer scripts of a package would have left behind in an image, as data. Each is done only where its package is. */
export const STEPS: Readonly<Record<string, Step>> = {
  'base-files': (tree, context) => baseFiles(tree, context),
  'ca-certificates': (tree, context) => authorities(tree, context),
  'libc-bin': (tree, context) => copy(tree, context, 'usr/share/libc-bin/nsswitch.conf', 'etc/nsswitch.conf'),
  libssl3: sslDirectory,
  libssl3t64: sslDirectory,
  'libpam-runtime': () => {},
  cpp: links({ 'usr/lib/cpp': '../bin/cpp' }),
  dash: links({ 'usr/bin/sh': 'dash' }),
  debianutils: async (tree, context) => {
    links({ 'usr/bin/which': 'which.debianutils' })(tree)
    await copy(tree, context, 'usr/share/debianutils/shells', 'etc/shells')
  },
  'g++': links({ 'usr/bin/c++': 'g++' }),
  gcc: links({ 'usr/bin/cc': 'gcc', 'usr/bin/c89': 'c89-gcc', 'usr/bin/c99': 'c99-gcc' }),
  mawk: links({ 'usr/bin/awk': 'mawk', 'usr/bin/nawk': 'mawk' }),
  procps: links({ 'usr/bin/w': 'w.procps' }),
  tar: links({ 'usr/sbin/rmt': 'rmt-tar' }),
  tzdata: tree => {
    putLink(tree, 'etc/localtime', '/usr/share/zoneinfo/Etc/UTC')
    putFile(tree, 'etc/timezone', 'Etc/UTC\n')
  },
  'readline-common': (tree, context) => copy(tree, context, 'usr/share/readline/inputrc', 'etc/inputrc'),
  'util-linux': links({ 'usr/bin/pager': 'more' }),
  'xz-utils': links({
    'usr/bin/lzma': 'xz',
    'usr/bin/unlzma': 'unxz',
    'usr/bin/lzcat': 'xzcat',
    'usr/bin/lzmore': 'xzmore',
    'usr/bin/lzless': 'xzless',
    'usr/bin/lzdiff': 'xzdiff',
    'usr/bin/lzcmp': 'xzcmp',
    'usr/bin/lzgrep': 'xzgrep',
    'usr/bin/lzegrep': 'xzegrep',
    'usr/bin/lzfgrep': 'xzfgrep',
  }),
}

/** Links whose targets, in the same directory or relative to it, are there. */
function links(table: Readonly<Record<string, string>>): (tree: BaseTree) => void {
  return tree => {
    for (const [path, target] of Object.entries(table)) {
      const directory = path.slice(0, path.lastIndexOf('/'))
      const at = target.startsWith('../')
        ? `${directory.slice(0, directory.lastIndexOf('/'))}/${target.slice(3)}`
        : `${directory}/${target}`
      if (tree.has(at)) putLink(tree, path, target)
    }
  }
}

async function baseFiles(tree: BaseTree, context: StepContext): Promise<void> {
  putLink(tree, 'etc/dpkg/origins/default', 'debian')
  await copy(tree, context, 'usr/share/base-files/profile', 'etc/profile')
  await copy(tree, context, 'usr/share/base-files/dot.bashrc', 'root/.bashrc')
  await copy(tree, context, 'usr/share/base-files/dot.profile', 'root/.profile')
  for (const path of [
    'etc/opt',
    'home',
    'media',
    'mnt',
    'opt',
    'srv',
    'usr/local',
    'var/cache',
    'var/lib',
    'var/log',
  ])
    putDirectory(tree, path)
  for (const name of ['bin', 'etc', 'games', 'include', 'lib', 'sbin', 'share', 'src'])
    putDirectory(tree, `usr/local/${name}`)
  putLink(tree, 'var/run', '/run')
  putLink(tree, 'var/lock', '/run/lock')
  putDirectory(tree, 'run/lock', 0o1777)
  putDirectory(tree, 'var/mail')
  putLink(tree, 'etc/mtab', '/proc/mounts')
}

const AUTHORITY = /^usr\/share\/ca-certificates\/(.*)\.crt$/

/** What update-ca-certificates(8) makes, without links by hash: no library here needs them where there is a bundle. */
async function authorities(tree: BaseTree, context: StepContext): Promise<void> {
  putFile(tree, 'etc/ssl/certs/ca-certificates.crt', await authoritiesIn(tree, context))
  putLink(tree, 'etc/ssl/cert.pem', 'certs/ca-certificates.crt')
  const names = [...tree.keys()].flatMap(path => AUTHORITY.exec(path)?.[1] ?? []).toSorted()
  putFile(tree, 'etc/ca-certificates.conf', names.map(name => `${name}.crt\n`).join(''))
  for (const name of names)
    putLink(
      tree,
      `etc/ssl/certs/${name.slice(name.lastIndexOf('/') + 1)}.pem`,
      `/usr/share/ca-certificates/${name}.crt`,
    )
  putDirectory(tree, 'usr/local/share/ca-certificates')
}

/** All authorities of the package, in the order of their file names. */
export async function authoritiesIn(tree: BaseTree, context: StepContext): Promise<string> {
  let bundle = ''
  for (const path of [...tree.keys()].filter(each => AUTHORITY.test(each)).toSorted()) {
    const node = tree.get(path)
    if (node?.type !== 'file') continue
    const text = (await context.read(node.content)).toString('latin1')
    bundle += text.endsWith('\n') ? text : `${text}\n`
  }
  return bundle
}

/** Java's truststore with the same authorities. */
export async function javaTruststore(tree: BaseTree, context: StepContext): Promise<void> {
  const store = javaTruststoreFromPem(await authoritiesIn(tree, context), 'ca-certificates')
  putFile(tree, 'etc/ssl/certs/java/cacerts', store)
}

/** Where OpenSSL looks by default; without this, programs that use the library alone would trust nobody. */
function sslDirectory(tree: BaseTree): void {
  putLink(tree, 'usr/lib/ssl/certs', '/etc/ssl/certs')
  putLink(tree, 'usr/lib/ssl/private', '/etc/ssl/private')
  putLink(tree, 'usr/lib/ssl/cert.pem', '/etc/ssl/cert.pem')
  if (tree.has('etc/ssl/openssl.cnf')) putLink(tree, 'usr/lib/ssl/openssl.cnf', '/etc/ssl/openssl.cnf')
  putDirectory(tree, 'etc/ssl/private', 0o700)
}

async function copy(tree: BaseTree, context: StepContext, from: string, to: string): Promise<void> {
  const node = tree.get(from)
  if (node?.type === 'file' && !tree.has(to)) putFile(tree, to, await context.read(node.content))
}
