import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { MachineSources } from '#runtimes'
import { type Report, redact, streamToNewFile } from '#std'
import { downloadFailed } from '../problems.ts'

const MOST = 4 * 2 ** 30

/** Downloads a file and says what came, by its digest. Throws a `Problem` (`BUILDPACK_DOWNLOAD_FAILED`, `HTTP_UNREACHABLE`, `HTTP_REDIRECT`). */
export async function downloadFile(
  url: string,
  file: string,
  {
    http,
    report,
    signal,
  }: {
    readonly http: Pick<MachineSources['access'], 'get'>
    readonly report: Report
    readonly signal: AbortSignal
  },
): Promise<void> {
  const shown = redact(url)
  const answer = await http.get(url, { signal })
  if (answer.status !== 200) {
    answer.body.on('error', () => {}).destroy()
    throw downloadFailed(shown, `the server answers ${answer.status}`)
  }
  await mkdir(dirname(file), { recursive: true })
  const hash = createHash('sha256')
  let size = 0
  using progress = report.progress(`downloading ${shown}`)
  const counted = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      size += chunk.length
      if (size > MOST) throw downloadFailed(shown, `it is larger than ${MOST} bytes`)
      hash.update(chunk)
      progress.add(chunk.length)
      yield chunk
    }
  }
  await pipeline(answer.body, counted, await streamToNewFile(file))
  report.line(`Downloaded ${shown} (sha256:${hash.digest('hex')})`)
}
