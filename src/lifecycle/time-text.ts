/** Seconds as RFC 3339 text, without fractions, as Go prints them. */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
