import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type Koa from 'koa'

/** An address with a port, as some proxies write it into X-Forwarded-For: `203.0.113.8:51234`, `[2001:db8::7]:51234`. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d*)?$/

/**
 * Returns the network of the client, the unit that limits per client count: an IPv4 address, or the first 64 bits of an
 * IPv6 address, because one customer has a whole /64. All spellings of an address give the same text.
 *
 * An entry of X-Forwarded-For that is no address (`unknown`, RFC 7239 §6.2) gives the network of the proxy, so that its
 * clients share one count instead of having none.
 */
export function clientNetwork({ ip, socket }: Pick<Koa.Context, 'ip' | 'socket'>): string {
  return parseNetwork(ip) ?? parseNetwork(socket.remoteAddress ?? '') ?? ''
}

/** `null` if `text` is not an address, with or without a port. */
function parseNetwork(text: string): string | null {
  const bare = text.trim().replace(/^"(.*)"$/, '$1')
  const [, bracketed, dotted] = WITH_PORT.exec(bare) ?? []
  const address = bracketed ?? dotted ?? bare
  if (isIP(address) === 0) return null
  // Writes an IPv4 address that is mapped into IPv6 (::ffff:203.0.113.8) as IPv4.
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${Buffer.from(parsed.toByteArray().slice(0, 8)).toString('hex')}/64`
}
