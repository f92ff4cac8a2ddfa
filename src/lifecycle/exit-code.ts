import { Problem } from '#std'

/** Runs a phase so that every failure that a person can cause ends with the exit code of that phase. */
export async function withExitCode<Result>(exitCode: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.exitCode !== 1) throw error
    const { code, what, why, fix } = error
    throw new Problem(code, { what, why, fix, cause: error, exitCode })
  }
}
