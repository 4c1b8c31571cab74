/**
 * Connections to the store, the SDK's and ours: the SDK's 50 sockets halve the reads a second of 64 clients, and gateways
 * drop what idles for a minute.
 */
export const AGENT = { keepAlive: true, maxSockets: 256, timeout: 50_000 } as const
