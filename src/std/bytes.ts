/** All the bytes of a stream, up to `limit`; a longer stream is an error, because its maker was to be small. */
export async function readAll(source: AsyncIterable<Uint8Array>, limit = 256 * 2 ** 20): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of source) {
    length += part.byteLength
    if (length > limit) throw new Error(`more than ${limit} bytes came where fewer were expected`)
    parts.push(part)
  }
  return Buffer.concat(parts, length)
}
