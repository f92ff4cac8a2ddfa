/** What opens a registry: a user name with a password, a token that is sent as it is, or one that is exchanged for others (OAuth2's refresh token). */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'identity'; readonly token: string }

/** The value of an Authorization header with a name and a password (RFC 7617). */
export function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** What `auth` of Docker's configuration, or `Basic …` of a header, holds: base64 of a name, a colon and a password. */
export function basicFrom(base64: string): Credential | undefined {
  const text = Buffer.from(base64.trim(), 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = text.indexOf(':')
  return colon <= 0
    ? undefined
    : { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
}
