import { isLoopback } from '#std'
import { addressRefused } from './problems.ts'

/**
 * Where a registry sends us (a redirect, a `Location`, a token server), resolved against where it said so. One that is reached by TLS leads nowhere without;
 * where it calls itself by `http:`, as servers behind a proxy do, its own address is taken. No registry elsewhere leads to this machine or to addresses of the link.
 * Throws a `Problem` (`REGISTRY_ADDRESS`).
 */
export function placeNamedBy(from: URL, text: string, what: string): URL {
  if (text.length > 16_384 || !URL.canParse(text, from.href))
    throw addressRefused(from.host, what, 'it is no URL')
  const to = new URL(text, from)
  to.username = ''
  to.password = ''
  to.hash = ''
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    throw addressRefused(from.host, what, `it is a ${to.protocol} address`)
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    if (to.hostname !== from.hostname)
      throw addressRefused(from.host, what, 'it leads from https to plain http')
    return new URL(`${from.origin}${to.pathname}${to.search}`)
  }
  if (!isLoopback(from.hostname) && isPrivateToMachine(to.hostname))
    throw addressRefused(from.host, what, `${to.host} is an address of this machine or its link`)
  return to
}

/** This machine, and the addresses of a link (RFC 3927, RFC 4291), where clouds answer with what opens them. */
function isPrivateToMachine(hostname: string): boolean {
  const host = hostname.toLowerCase()
  return (
    isLoopback(host) ||
    /^(?:0|169\.254)\./.test(host) ||
    /^\[(?:::|fe[89ab][0-9a-f]:|::ffff:(?:7f|a9fe|0:))/.test(host)
  )
}

/** Adds a parameter without touching the rest, which may be signed. */
export function withParameter(url: URL, name: string, value: string): URL {
  return new URL(`${url.href}${url.search ? '&' : '?'}${name}=${encodeURIComponent(value)}`)
}
