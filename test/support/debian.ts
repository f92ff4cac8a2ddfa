import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lockFile } from '#std'
import { checkout } from './cli.ts'

const run = promisify(execFile)

/**
 * Unpacks packages of the machine's Debian, as `apt-get download` gives them, into one directory and returns it; nothing is installed. Done once per
 * checkout. A string says why it cannot be had (no apt, no way to a mirror); a test then passes reduced, and says so.
 */
export async function debianPackages(names: readonly string[]): Promise<string | { readonly root: string }> {
  const base = join(checkout, '.cache/debian')
  const root = join(base, names.join('+'))
  await mkdir(base, { recursive: true })
  if (existsSync(root)) return { root }
  await using _ = await lockFile(join(base, 'lock'))
  if (existsSync(root)) return { root }
  const scratch = await mkdtemp(join(base, 'unpack-'))
  try {
    await download(names, scratch)
    const unpacked = join(scratch, 'root')
    for (const file of (await readdir(scratch)).filter(name => name.endsWith('.deb')).sort())
      await run('dpkg-deb', ['-x', join(scratch, file), unpacked])
    await run('chmod', ['-R', 'a+rX', unpacked])
    await rename(unpacked, root)
    return { root }
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message?: string }
    return code === 'ENOENT' ? 'this machine has no apt' : `apt-get download failed: ${stderr || message}`
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** A fresh machine may have no package lists yet; root can fetch them, others have to do without. */
async function download(names: readonly string[], directory: string): Promise<void> {
  const options = ['-o', 'APT::Sandbox::User=root', '-q', 'download', ...names]
  try {
    await run('apt-get', options, { cwd: directory })
  } catch (error) {
    if (process.getuid?.() !== 0) throw error
    await run('apt-get', ['-q', 'update'])
    await run('apt-get', options, { cwd: directory })
  }
}
