import { access } from 'node:fs/promises'

/** Signs by which engines mark the inside of their containers. */
const FILES = ['/.dockerenv', '/run/.containerenv']
const VARIABLES = ['KUBERNETES_SERVICE_HOST', 'container']

/** True if this process already runs in a container, which is then what isolates it. */
export async function isInContainer(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if (VARIABLES.some(name => environment[name])) return true
  for (const file of FILES) {
    try {
      await access(file)
      return true
    } catch {
      // Not this one.
    }
  }
  return false
}
