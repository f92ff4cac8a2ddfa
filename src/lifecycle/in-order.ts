/**
 * Starts tasks a few at a time and hands out their results in the order of the tasks. After a failure no further task is started, and
 * the failure is thrown once those under way have ended, so that nothing goes on in the background.
 */
export async function* inOrder<Result>(
  tasks: readonly (() => Promise<Result>)[],
  limit: number,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  let next = 0
  const start = () => {
    const task = tasks[next]
    next += 1
    if (!task) return
    const promise = task()
    // It is waited for in its turn; until then a failure must not count as unhandled.
    promise.catch(() => {})
    running.push(promise)
  }
  while (next < limit && next < tasks.length) start()
  try {
    for (let promise = running.shift(); promise; promise = running.shift()) {
      const result = await promise
      start()
      yield result
    }
  } finally {
    await Promise.allSettled(running)
  }
}
