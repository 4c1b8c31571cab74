import { isIP } from 'node:net'
import createError from 'http-errors'
import type { Config } from '../config/config.ts'
import { hostName, isLoopback } from '../config/loopback.ts'

/**
 * Returns a check that refuses requests for a host name which this server does not answer for. This stops DNS rebinding: a
 * page of a foreign site whose name was rebound to the server's address sends that name, and would otherwise read and
 * write here as if it were a page of ours (RFC 9110 §7.4 for 421). Addresses and loopback names always pass, because they cannot
 * be rebound.
 */
export function hostCheck(config: Config): (authority: string) => void {
  const accepts = hostRule(config)
  return (authority) => {
    if (accepts(authority)) return
    const name = JSON.stringify(authority.slice(0, 80))
    throw createError(
      421,
      `This server does not answer for ${name}. Add the name to --allowed-hosts if it should.`,
    )
  }
}

/** Returns whether the server answers for an authority: uri-host and port (RFC 9110 §7.2). */
function hostRule({ host, trustProxy, token, allowedHosts }: Config): (authority: string) => boolean {
  const anyName = allowedHosts.length === 0 && token !== undefined && !(isLoopback(host) && !trustProxy)
  const names = new Set(allowedHosts)
  return (authority) => {
    // No other characters, because the name becomes a part of the URLs in responses.
    const [, name] = /^([\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i.exec(authority) ?? []
    if (name === undefined) return anyName
    return (
      anyName || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || isLoopback(name) || names.has(hostName(name))
    )
  }
}
