import { AsyncLocalStorage } from 'node:async_hooks'

const listening = new AsyncLocalStorage<(bytes: number) => void>()

/** Runs a job, and tells `add` of the bytes that are downloaded for it while they come; not of those of other jobs that run at the same time. */
export function metered<Result>(add: (bytes: number) => void, job: () => Promise<Result>): Promise<Result> {
  return listening.run(add, job)
}

/** Whom to tell of bytes that are downloaded now; nobody where no job asked. */
export function meter(): (bytes: number) => void {
  return listening.getStore() ?? (() => {})
}
