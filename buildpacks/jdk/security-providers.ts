import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { byBytes } from '#sdk'

/** The security providers of a Java runtime as `number|name` words, as Paketo's start-up helpers read them. */
export async function securityProviders(javaHome: string): Promise<string> {
  const text = await readFile(join(javaHome, 'conf', 'security', 'java.security'), 'utf8')
  const found = [...text.matchAll(/^security\.provider\.(\d+)=(\S+)/gm)]
  return found
    .map(([, number, name]) => `${number}|${name}`)
    .sort(byBytes)
    .join(' ')
}
