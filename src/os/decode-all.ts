import { type DecodedPackage, decodePackage, type Keep } from './decode.ts'

/** One package to decode, and where its bytes go. */
export interface DecodeJob {
  readonly path: string
  readonly spool: string
  readonly keep: Keep
}

/** Decodes packages; the results are in the order of the jobs. */
export async function decodeAll(jobs: readonly DecodeJob[]): Promise<DecodedPackage[]> {
  const results: DecodedPackage[] = []
  for (const { path, spool, keep } of jobs) results.push(await decodePackage(path, spool, keep))
  return results
}
