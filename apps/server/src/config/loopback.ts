import { isIPv4 } from 'node:net'

/** Writes a host name so that equal names compare equal: in lower case, without brackets and the dot of the DNS root. */
export function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
}

/** Returns whether a host name or address, with or without brackets, means this machine and no other. */
export function isLoopback(host: string): boolean {
  const name = hostName(host)
  // RFC 6761 §6.3: localhost and everything under it never leaves the machine.
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  const mapped = name.replace(/^::ffff:/, '')
  return isIPv4(mapped) && mapped.startsWith('127.')
}
