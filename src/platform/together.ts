/**
 * Runs jobs at the same time and waits for all of them, also where one fails: nobody may go on writing into what the caller then takes away. Throws
 * the first failure in the order of the jobs; what the others opened is closed.
 */
export async function together<const Jobs extends readonly Promise<unknown>[]>(
  jobs: Jobs,
): Promise<{ -readonly [Index in keyof Jobs]: Awaited<Jobs[Index]> }> {
  const outcomes = await Promise.allSettled(jobs)
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed) {
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await close(outcome.value)
    throw failed.reason
  }
  const values = outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)
  return values as { -readonly [Index in keyof Jobs]: Awaited<Jobs[Index]> }
}

async function close(value: unknown): Promise<void> {
  if (typeof value !== 'object' || value === null || !(Symbol.asyncDispose in value)) return
  await (value as AsyncDisposable)[Symbol.asyncDispose]()
}
