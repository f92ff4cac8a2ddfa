import { stat } from 'node:fs/promises'
import { openUnxzPool, type UnxzPool } from '#sources'
import type { Report } from '#std'
import { type DecodedPackage, decodePackage, type Keep } from './decode.ts'

/** One package to decode, and where its bytes go. */
export interface DecodeJob {
  readonly path: string
  readonly spool: string
  readonly keep: Keep
  /** Takes the place of decoding. */
  readonly decode?: (pool: UnxzPool) => Promise<DecodedPackage>
}

const AT_ONCE = 4

/** Decodes packages, several at once; the results are in the order of the jobs. `label` names the work while it takes. */
export async function decodeAll(
  jobs: readonly DecodeJob[],
  label: string,
  report: Report,
): Promise<DecodedPackage[]> {
  await using pool = openUnxzPool()
  const sized = await Promise.all(
    jobs.map(async (job, index) => ({ job, index, size: (await stat(job.path)).size })),
  )
  // The largest first, so that none is left to be waited for alone.
  const queue = sized.toSorted((a, b) => b.size - a.size)
  using progress = report.progress(
    label,
    sized.reduce((sum, { size }) => sum + size, 0),
  )
  const results: DecodedPackage[] = []
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { path, spool, keep, decode = own => decodePackage(path, spool, keep, own) } = next.job
      results[next.index] = await decode(pool)
      progress.add(next.size)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}
