/**
 * Options of all connections to S3, by the SDK and by `Downloads`. The SDK's default of 50 sockets halves the reads a
 * second of 64 clients, and gateways drop connections that are idle for a minute.
 */
export const AGENT = { keepAlive: true, maxSockets: 256, timeout: 50_000 } as const
