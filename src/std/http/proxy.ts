import { isIPv4 } from 'node:net'

/** The variables that name proxies, in lower or upper case. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

/**
 * The proxy that the environment names for a URL, as curl and Go read `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`: what `no_proxy` lists, by
 * name, with everything below a name, by address or by CIDR block, each with a port or without, is asked directly; and so is this machine itself, always.
 */
export function proxyFor(url: URL, environment: ProxyEnvironment): URL | undefined {
  const named = (name: string) => environment[name] || environment[name.toUpperCase()] || undefined
  // A web server hands the header `Proxy` of any request to its programs as HTTP_PROXY.
  const http = environment.http_proxy || (environment.REQUEST_METHOD ? undefined : environment.HTTP_PROXY)
  const text = (url.protocol === 'https:' ? named('https_proxy') : http) ?? named('all_proxy')
  if (!text || isLoopback(url.hostname) || isExempt(url, named('no_proxy') ?? '')) return undefined
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  return URL.canParse(full) ? new URL(full) : undefined
}

/** True for the host names and addresses that always mean this machine. */
export function isLoopback(hostname: string): boolean {
  const host = addressOf(hostname)
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
  )
}

function isExempt(url: URL, list: string): boolean {
  const host = addressOf(url.hostname)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some(entry => {
    if (entry === '') return false
    if (entry === '*') return true
    const [, name = '', wanted] =
      /^(\[[^\]]*\]|[^:]*|[0-9a-fA-F:]*:[0-9a-fA-F:./]*?)(?::(\d+))?$/.exec(entry) ?? []
    if (wanted !== undefined && wanted !== port) return false
    return matches(host, addressOf(name.toLowerCase()))
  })
}

function matches(host: string, entry: string): boolean {
  const block = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(entry)
  if (block) return isIPv4(host) && inBlock(host, block[1] as string, Number(block[2]))
  const name = entry.replace(/^\*?\.?/, '')
  if (name === '') return false
  return host.endsWith(`.${name}`) || (host === name && !/^\*?\./.test(entry))
}

function inBlock(host: string, network: string, bits: number): boolean {
  if (!isIPv4(network) || bits > 32) return false
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - bits)
  return Math.floor(number(host) / size) === Math.floor(number(network) / size)
}

/** Without the brackets of a URL and the final dot of DNS, and an IPv4 address that is written as IPv6 as what it is. */
function addressOf(hostname: string): string {
  const plain = hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/.exec(plain)
  if (!mapped) return plain
  if (mapped[1]) return mapped[1]
  const [high, low] = [Number.parseInt(mapped[2] as string, 16), Number.parseInt(mapped[3] as string, 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** What a proxy URL says about who asks (RFC 7617). */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
