import { readDebControl } from '#sources'
import { scriptsUnknown } from './problems.ts'
import { actsOf } from './script-acts.ts'
import { STEPS } from './steps.ts'

/** Packages whose scripts were read, and do nothing that an image misses. */
const HARMLESS: ReadonlySet<string> = new Set([
  'base-passwd', // copies the master files of accounts; accounts.ts writes ours
  'bash', // /bin/sh is dash's; builtins(7) is a manual
  'binutils', // renames a configuration file of an older version
  'bubblewrap', // asks the running kernel for user namespaces, as it may be the machine's
  'coreutils', // a link to touch for systems without a merged /usr
  'git', // a directory of an older version
  'gzip', // takes back diversions of zutils
  'libc6', // links of the merged file system, diversions
  'libgcrypt20', // removes copies that were never packaged
  'libgssapi-krb5-2', // moves a file of an older version
  'libpam0g', // restarts services that a running system has
  'libpython3.11-minimal',
  'libpython3.13-minimal', // a message
  'libreadline8',
  'libreadline8t64', // diversions for systems without a merged /usr
  'libselinux1', // compiled policies of a running system
  'netbase', // an empty /etc/sysctl.d
  'openssl', // moves directories of older versions
  'perl', // an alternative of an older version
  'pkg-config', // links of an older version
  'pkgconf',
  'pkgconf-bin', // diversions of older versions, an empty directory
  'python3',
  'python3-minimal',
  'python3.11',
  'python3.11-minimal',
  'python3.13',
  'python3.13-minimal', // compile modules in advance; Python does that in memory where it may not write
  'unzip', // refreshes a list of MIME types
  'util-linux-extra', // init scripts
])

/** Throws `BASE_SCRIPT_UNKNOWN` if a package has a script that does something, and nobody has said what stands in for it. */
export async function refuseUnknownScripts(
  base: string,
  packages: readonly { readonly name: string; readonly path: string }[],
): Promise<void> {
  const unknown: { name: string; acts: string[] }[] = []
  for (const { name, path } of packages) {
    if (Object.hasOwn(STEPS, name) || HARMLESS.has(name)) continue
    const control = await readDebControl(path)
    const acts = ['preinst', 'postinst'].flatMap(script => actsOf(control.get(script) ?? ''))
    if (acts.length > 0) unknown.push({ name, acts })
  }
  if (unknown.length > 0) throw scriptsUnknown(base, unknown)
}
