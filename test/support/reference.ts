import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lockFile } from '#std'
import { checkout } from './cli.ts'

/** The reference programs, built from the versions that `test/reference/*` pins. Paths are absolute; everyone may run them. */
export interface ReferenceTools {
  readonly pack: string
  readonly crane: string
  /** The multi-call program: a link or copy named `creator`, `analyzer`, … is that phase. */
  readonly lifecycle: string
  readonly launcher: string
}

/** Versions of the reference programs, as `test/reference/*` pins them. */
export const PACK_VERSION = '0.36.4'
export const LIFECYCLE_VERSION = '0.20.4'

const PROGRAMS = [
  {
    module: 'pack',
    name: 'pack',
    from: 'github.com/buildpacks/pack/cmd/pack',
    flags: `-X github.com/buildpacks/pack.Version=${PACK_VERSION}`,
  },
  { module: 'pack', name: 'crane', from: 'github.com/google/go-containerregistry/cmd/crane', flags: '' },
  {
    module: 'lifecycle',
    name: 'lifecycle',
    from: 'github.com/buildpacks/lifecycle/cmd/lifecycle',
    flags: `-X github.com/buildpacks/lifecycle/cmd.Version=${LIFECYCLE_VERSION}`,
  },
  { module: 'lifecycle', name: 'launcher', from: 'github.com/buildpacks/lifecycle/cmd/launcher', flags: '' },
] as const

/**
 * The reference programs, built once per checkout with the Go of the machine. A string says why they cannot be had here (no Go, no way to the modules);
 * a test then passes reduced, and says so.
 */
export async function referenceTools(
  names: readonly (keyof ReferenceTools)[] = ['pack', 'crane', 'lifecycle', 'launcher'],
): Promise<ReferenceTools | string> {
  const base = join(checkout, '.cache/reference')
  await mkdir(base, { recursive: true })
  try {
    for (const program of PROGRAMS.filter(({ name }) => names.includes(name))) await build(base, program)
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message?: string }
    return code === 'ENOENT' ? 'there is no Go on this machine' : `it does not build: ${stderr || message}`
  }
  const paths = PROGRAMS.map(program => [program.name, pathOf(base, program)])
  return Object.fromEntries(paths) as unknown as ReferenceTools
}

type Program = (typeof PROGRAMS)[number]

/** A program lies under the hash of what it is made from, so that one of other versions is never taken for it. */
function pathOf(base: string, { module, name, flags }: Program): string {
  const hash = createHash('sha256').update(flags)
  for (const file of ['go.mod', 'go.sum'])
    hash.update(readFileSync(join(checkout, 'test/reference', module, file)))
  return join(base, hash.digest('hex').slice(0, 16), name)
}

async function build(base: string, program: Program): Promise<void> {
  const path = pathOf(base, program)
  if (existsSync(path)) return
  await using _ = await lockFile(join(base, 'lock'))
  if (existsSync(path)) return
  const scratch = await mkdtemp(join(base, 'build-'))
  try {
    const built = join(scratch, program.name)
    const flags = ['-trimpath', '-ldflags', `-s -w ${program.flags}`]
    await promisify(execFile)('go', ['build', ...flags, '-o', built, program.from], {
      cwd: join(checkout, 'test/reference', program.module),
      env: { ...process.env, CGO_ENABLED: '0' },
      maxBuffer: 1 << 24,
    })
    await chmod(built, 0o755)
    await mkdir(join(path, '..'), { recursive: true })
    await rename(built, path)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
