import { readFile } from 'node:fs/promises'
import { isInContainer } from './container.ts'

/** Why a machine lets no ordinary user make namespaces, and what to do about it. */
export interface NamespaceRefusal {
  readonly why: string
  readonly fix: string
}

/** Switches of the kernel that forbid user namespaces, with the value that does so. */
const SWITCHES: readonly (NamespaceRefusal & { readonly file: string; readonly forbids: string })[] = [
  {
    file: '/proc/sys/user/max_user_namespaces',
    forbids: '0',
    why: 'user namespaces are switched off (user.max_user_namespaces is 0)',
    fix: 'Ask an administrator for `sysctl -w user.max_user_namespaces=15000`, kept in a file of /etc/sysctl.d.',
  },
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    forbids: '0',
    why: 'user namespaces are for root alone here (kernel.unprivileged_userns_clone is 0)',
    fix: 'Ask an administrator for `sysctl -w kernel.unprivileged_userns_clone=1`, kept in a file of /etc/sysctl.d.',
  },
  {
    file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    forbids: '1',
    why: 'AppArmor lets only programs with a profile make user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)',
    fix: 'Ask an administrator to install bubblewrap with an AppArmor profile that has `userns,`, or for `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`.',
  },
]

const CONTAINER: NamespaceRefusal = {
  why: 'this is a container whose engine forbids namespaces inside',
  fix: 'Run slipway with SLIPWAY_SANDBOX=plain (the container is then the sandbox), or start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`.',
}

/** Looks for the reason why namespaces are refused, in the order in which the kernel asks; undefined if none is to be seen. */
export async function whyNoNamespaces(
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<NamespaceRefusal | undefined> {
  for (const { file, forbids, why, fix } of SWITCHES) {
    const value = await readFile(file, 'utf8').catch(() => undefined)
    if (value?.trim() === forbids) return { why, fix }
  }
  return (await isInContainer(environment)) ? CONTAINER : undefined
}
