import { join } from 'node:path'
import { lockFile } from '#std'

/**
 * Does a work while no other process of this machine does the one of that name; whoever comes later waits, and should look
 * first whether the result is there. A process that dies lets the next one in.
 */
export async function alone<Result>(
  home: string,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  await using _ = await lockFile(join(home, 'bases', `${name}.lock`))
  return await work()
}
