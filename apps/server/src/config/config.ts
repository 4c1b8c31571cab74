import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { flagReader } from './flag-reader.ts'
import { LOG_LEVELS } from './flags.ts'
import { isLoopback } from './loopback.ts'
import { readS3, type S3Config } from './s3.ts'
import {
  ConfigError,
  parseCount,
  parseDuration,
  parseFieldValue,
  parseHosts,
  parseMediaTypes,
  parseOneOf,
  parseOptional,
  parseOrigins,
  parsePort,
  parseRedirect,
  parseSize,
  parseSwitch,
  parseText,
  parseTimeout,
  parseToken,
  parseWorkers,
} from './values.ts'

export { ConfigError } from './values.ts'

/** How the server runs. Sizes are bytes, times are ms. */
export interface Config {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The directory of the objects, unless they are in a bucket. */
  readonly data: string
  readonly s3: S3Config | undefined
  /** The server that sends videos: the bucket (`presigned`), a CDN (its URL), or this server (`undefined`). */
  readonly redirect: string | undefined
  readonly assets: string
  readonly accept: readonly string[]
  readonly maxFileSize: number
  /** Of all objects together; none above the free-space floor. */
  readonly maxTotalSize: number | undefined
  /** Maximum of uploads in progress, in all workers; one client address may have a quarter of them. */
  readonly maxConcurrentUploads: number
  /** Maximum of resumable uploads that are not complete; one client address may have a quarter of them. */
  readonly maxUnfinishedUploads: number
  readonly readOnly: boolean
  /** Needed to write; `undefined`: every client may write. */
  readonly token: string | undefined
  /** Needed to read as well. */
  readonly private: boolean
  readonly cacheControl: string
  readonly trustProxy: boolean
  /** Host names that requests may be for; empty: see `checkHost`. */
  readonly allowedHosts: readonly string[]
  /** Origins of other sites that may read, and unless `*`, write. */
  readonly corsOrigin: readonly string[]
  /** Paths in PEM, both or none: HTTPS with HTTP/2. */
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly shutdownTimeout: number
  /** How long a client may take nothing of a response before the server closes its connection or stream. */
  readonly stallTimeout: number
  /** Processes that answer requests; 1: this one. */
  readonly workers: number
  /** Whether the kernel sends files if it can. */
  readonly sendfile: 'on' | 'off'
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly allowAnonymous: boolean
}

/**
 * Reads flags and, where a flag is missing, its environment variable.
 *
 * @param argv without the program, as `process.argv.slice(2)`
 * @throws ConfigError with one line that names the flag, its value and what is wrong with it
 * @example
 * loadConfig(['--port', '0', '--max-file-size', '1GiB'], {}).maxFileSize // 1073741824
 */
export function loadConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const read = flagReader(argv, env)
  const isPrivate = read('private', parseSwitch)
  const cacheControl = read('cache-control', parseFieldValue)
  const config: Config = {
    host: read('host', (text) => parseText(text).replace(/^\[(.*)\]$/, '$1')),
    port: read('port', parsePort),
    data: resolve(read('data', parseText)),
    s3: readS3(read),
    redirect: read('redirect', parseRedirect),
    assets: resolve(
      read('assets', (text) => text || fileURLToPath(new URL('../../assets', import.meta.url))),
    ),
    accept: read('accept', parseMediaTypes),
    maxFileSize: read('max-file-size', parseSize),
    maxTotalSize: read('max-total-size', (text) => (text === '' ? undefined : parseSize(text))),
    maxConcurrentUploads: read('max-concurrent-uploads', parseCount),
    maxUnfinishedUploads: read('max-unfinished-uploads', parseCount),
    readOnly: read('read-only', parseSwitch),
    token: read('token', parseToken),
    private: isPrivate,
    cacheControl: isPrivate ? privately(cacheControl) : cacheControl,
    trustProxy: read('trust-proxy', parseSwitch),
    allowedHosts: read('allowed-hosts', parseHosts),
    corsOrigin: read('cors-origin', parseOrigins),
    tlsCert: read('tls-cert', parseOptional),
    tlsKey: read('tls-key', parseOptional),
    shutdownTimeout: read('shutdown-timeout', parseDuration),
    stallTimeout: read('stall-timeout', parseTimeout),
    workers: read('workers', parseWorkers),
    sendfile: read('sendfile', (text) => parseOneOf(text, ['on', 'off'] as const)),
    logLevel: read('log-level', (text) => parseOneOf(text, LOG_LEVELS)),
    allowAnonymous: read('allow-anonymous', parseSwitch),
  }
  checkAccess(config)
  if (config.redirect === 'presigned' && config.s3 === undefined)
    throw new ConfigError('--redirect presigned needs --store s3. Set both, or choose another --redirect.')
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined))
    throw new ConfigError('--tls-cert and --tls-key need each other. Set both, or neither.')
  return config
}

function checkAccess({ host, token, trustProxy, private: isPrivate, allowAnonymous }: Config): void {
  if (token !== undefined) return
  if (isPrivate) throw new ConfigError('--private needs a token: set RANGE_SERVER_TOKEN.')
  if (allowAnonymous) return
  const remedy = 'Set RANGE_SERVER_TOKEN, or add --allow-anonymous if that is intended.'
  if (!isLoopback(host))
    throw new ConfigError(`--host ${host} lets every client on the network upload and delete. ${remedy}`)
  // A proxy makes a server on loopback public.
  if (trustProxy)
    throw new ConfigError(`--trust-proxy lets every client of the proxy upload and delete. ${remedy}`)
}

/** What only some may read must not stay in caches that others share. */
function privately(cacheControl: string): string {
  const directives = cacheControl.split(',').map((directive) => directive.trim())
  const kept = directives.filter((directive) => !/^(?:public|private|s-maxage=.*)$/i.test(directive))
  return ['private', ...kept].join(', ')
}
