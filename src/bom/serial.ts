import { digestOf, hexOf } from '#std'

/** A UUID that follows from content alone (RFC 9562 version 8), so that equal documents carry equal serial numbers. */
export function uuidOf(content: string): string {
  const hex = hexOf(digestOf(content)).slice(0, 32)
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-')
}
