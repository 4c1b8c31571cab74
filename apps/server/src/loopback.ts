import { isIPv4 } from 'node:net'

/** Whether a host name or address, brackets or not, means this machine and no other. */
export function isLoopback(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  // RFC 6761 §6.3: localhost and everything under it never leaves the machine.
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  const mapped = name.replace(/^::ffff:/, '')
  return isIPv4(mapped) && mapped.startsWith('127.')
}
