import { networkInterfaces } from 'node:os'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/loopback.ts'
import { humanSize } from '../shared/human-size.ts'

/** What people want to know when the server has started: its URL alone on the first line, then the rest. */
export function bannerText(url: string, config: Config, argv: readonly string[]): string {
  const { redirect, workers } = config
  const rows = [
    ['videos', videos(config)],
    ...(redirect === undefined ? [] : [['sent by', redirect === 'presigned' ? 'the bucket' : redirect]]),
    ['uploads', uploads(config)],
    ['access', access(config)],
    ...networkUrls(url, config).map((each) => ['network', each]),
    ...(workers === 1 ? [] : [['workers', String(workers)]]),
  ]
  const lines = rows.map(([name = '', value]) => `  ${name.padEnd(8)} ${value}`)
  return `${[url, ...lines, ...warnings(config, argv)].join('\n')}\n`
}

function videos({ data, s3 }: Config): string {
  return s3 === undefined ? data : `s3://${s3.bucket}/${s3.prefix} at ${s3.endpoint ?? 'AWS'}`
}

function uploads({ accept, readOnly, maxFileSize, maxTotalSize, maxConcurrentUploads }: Config): string {
  if (readOnly) return 'none, read-only'
  const total = maxTotalSize === undefined ? '' : `, ${humanSize(maxTotalSize)} in all`
  return `${accept.join(', ')}; up to ${humanSize(maxFileSize)} each${total}, ${maxConcurrentUploads} at once`
}

function access({ token, private: isPrivate, readOnly }: Config): string {
  if (readOnly && (token === undefined || !isPrivate)) return 'all clients may read'
  if (readOnly) return 'the token is needed to read'
  if (token === undefined) return 'all clients may read and write'
  return isPrivate
    ? 'the token is needed to read and write'
    : 'all clients may read, the token is needed to write'
}

function networkUrls(url: string, { host }: Config): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return []
  const { protocol, port } = new URL(url)
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(
      ({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (host === '::' && !scopeid)),
    )
    .map(({ address, family }) => `${protocol}//${family === 'IPv6' ? `[${address}]` : address}:${port}`)
}

function warnings(config: Config, argv: readonly string[]): readonly string[] {
  const { host, token, readOnly, tlsCert, trustProxy } = config
  const exposed = !isLoopback(host)
  const found: string[] = []
  if (exposed && token === undefined && !readOnly)
    found.push(
      'Warning: without a token, every client on the network may upload and delete. Set RANGE_SERVER_TOKEN.',
    )
  if (exposed && token !== undefined && tlsCert === undefined && !trustProxy)
    found.push('Warning: without HTTPS, the token can be read in transit. Set --tls-cert and --tls-key.')
  if (argv.some((argument) => /^--token(?:=|$)/.test(argument)))
    found.push('Warning: other users of this machine can see --token. Set RANGE_SERVER_TOKEN instead.')
  return found
}
