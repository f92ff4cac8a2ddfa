/** Processor architectures that there is a filter for. */
export type Architecture = 'amd64' | 'arm64'

/** A system call's number on amd64 and on arm64 (Linux `unistd_64.h` and `asm-generic/unistd.h`); -1 where it does not exist. */
export type Numbers = readonly [amd64: number, arm64: number]

/** `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_AARCH64` (linux/audit.h). */
export const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = {
  amd64: 0xc000003e,
  arm64: 0xc00000b7,
}

/** The highest number known when the list below was last read over (Linux 6.18). What is newer does not exist inside. */
export const LAST_KNOWN_CALL = 469

/** Calls whose arguments decide. */
export const INSPECTED = {
  clone: [56, 220],
  clone3: [435, 435],
  unshare: [272, 97],
  socket: [41, 198],
  ioctl: [16, 29],
  personality: [135, 92],
} as const satisfies Record<string, Numbers>

/**
 * Calls that no build and no app needs: they mount, load code into the kernel, reach other processes' memory, keys or handles, tune
 * the machine, or have a history of holes. The same that container engines leave out by default, and tracing with them.
 */
export const DENIED: Readonly<Record<string, Numbers>> = {
  _sysctl: [156, -1],
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_settime: [227, 112],
  create_module: [174, -1],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  get_kernel_syms: [177, -1],
  get_mempolicy: [239, 236],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioperm: [173, -1],
  iopl: [172, -1],
  kcmp: [312, 272],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  mbind: [237, 235],
  migrate_pages: [256, 238],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  move_pages: [279, 239],
  name_to_handle_at: [303, 264],
  nfsservctl: [180, 42],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pivot_root: [155, 41],
  process_madvise: [440, 440],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  query_module: [178, -1],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  request_key: [249, 218],
  set_mempolicy: [238, 237],
  set_mempolicy_home_node: [450, 450],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  swapoff: [168, 225],
  swapon: [167, 224],
  sysfs: [139, -1],
  syslog: [103, 116],
  umount2: [166, 39],
  uselib: [134, -1],
  userfaultfd: [323, 282],
  ustat: [136, -1],
  vhangup: [153, 58],
}
