import { chmod, lstat, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '#sdk'

/**
 * The app's own `mvnw`, ready to run: executable, and with the line ends that a shell reads, also in its properties. `undefined` where there is none.
 */
export async function prepareWrapper(application: string): Promise<string | undefined> {
  const script = join(application, 'mvnw')
  if (!(await isPlainFile(script))) return undefined
  await unixLineEnds(script)
  const properties = join(application, '.mvn', 'wrapper', 'maven-wrapper.properties')
  if (await isPlainFile(properties)) await unixLineEnds(properties)
  await chmod(script, 0o755)
  return script
}

async function unixLineEnds(path: string): Promise<void> {
  const text = await readFile(path, 'latin1')
  if (text.includes('\r\n')) await writeFile(path, text.replaceAll('\r\n', '\n'), 'latin1')
}

/** Links are not followed: what they lead to is not of the app. */
async function isPlainFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
