import { Readable } from 'node:stream'
import { type Digest, digestOf } from '#std'
import type { RegistryAccess } from './registry.ts'

/** A server and a store in memory, for tests: URL to content, or to the status that it answers with. */
export function fakeServer(files: Record<string, string | Buffer | number>) {
  const asked: { url: string; authorization: string | undefined }[] = []
  const store = new Map<Digest, Buffer>()
  const access: RegistryAccess = {
    async get(url, { authorization }) {
      asked.push({ url, authorization })
      const answer = files[url] ?? 404
      if (typeof answer === 'number') return { status: answer, body: Readable.from([Buffer.from('no')]) }
      return { status: 200, body: Readable.from([Buffer.from(answer)]) }
    },
    artifacts: {
      async path(digest) {
        return store.has(digest) ? '/dev/null' : undefined
      },
      async add(stream) {
        const content = Buffer.concat(await Readable.from(stream).toArray())
        const digest = digestOf(content)
        store.set(digest, content)
        return { digest, size: content.length, path: '/dev/null' }
      },
    },
  }
  return { access, asked, store }
}
