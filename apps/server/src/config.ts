import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  ConfigError,
  parseCount,
  parseDuration,
  parseFieldValue,
  parseMediaTypes,
  parseOneOf,
  parseOrigins,
  parsePort,
  parseSize,
  parseSwitch,
  parseText,
  parseWorkers,
} from './config-values.ts'
import { isLoopback } from './loopback.ts'

export { ConfigError } from './config-values.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** How the server runs. Sizes are bytes, times are ms. */
export interface Config {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly data: string
  readonly assets: string
  readonly accept: readonly string[]
  readonly maxFileSize: number
  /** Of all objects together; none above the free-space floor. */
  readonly maxTotalSize: number | undefined
  /** At once. */
  readonly maxUploads: number
  readonly readOnly: boolean
  readonly cacheControl: string
  readonly trustProxy: boolean
  /** Origins of other sites that may read, and unless `*`, write. */
  readonly corsOrigin: readonly string[]
  readonly shutdownTimeout: number
  /** Processes that answer requests; 1: this one. */
  readonly workers: number
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly allowAnonymous: boolean
}

interface Flag {
  readonly name: string
  /** What stands for its value in --help; none for a switch. */
  readonly value?: string
  readonly fallback: string
  readonly help: string
}

const FLAGS: readonly Flag[] = [
  { name: 'host', value: 'ADDRESS', fallback: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', value: 'N', fallback: '8000', help: 'port to listen on; 0 takes any free one' },
  { name: 'data', value: 'DIR', fallback: './data', help: 'directory of the uploads, made where missing' },
  { name: 'assets', value: 'DIR', fallback: '', help: "static files under /assets (the app's own)" },
  {
    name: 'accept',
    value: 'TYPES',
    fallback: 'video/*,audio/*,text/vtt',
    help: "media types to take; '*/*' takes any",
  },
  { name: 'max-file-size', value: 'SIZE', fallback: '10GiB', help: 'the most that one upload may have' },
  {
    name: 'max-total-size',
    value: 'SIZE',
    fallback: '',
    help: 'the most that all of them may have (no limit)',
  },
  {
    name: 'max-uploads',
    value: 'N',
    fallback: '256',
    help: 'how many may come in at once, through all workers; above: 503',
  },
  { name: 'read-only', fallback: 'false', help: 'refuse uploads and deletions' },
  {
    name: 'cache-control',
    value: 'VALUE',
    fallback: 'public, max-age=0, must-revalidate',
    help: 'Cache-Control of videos and static files',
  },
  { name: 'trust-proxy', fallback: 'false', help: 'believe X-Forwarded-Host, -Proto and -For' },
  {
    name: 'cors-origin',
    value: 'ORIGINS',
    fallback: '',
    help: "other sites' origins to allow; '*' may only read",
  },
  { name: 'shutdown-timeout', value: 'TIME', fallback: '10s', help: 'how long SIGTERM waits for requests' },
  {
    name: 'workers',
    value: 'N',
    fallback: '1',
    help: 'processes that answer; one that ends is replaced',
  },
  { name: 'log-level', value: 'LEVEL', fallback: 'info', help: LOG_LEVELS.join(', ') },
  { name: 'allow-anonymous', fallback: 'false', help: 'listen on other than loopback addresses' },
  { name: 'help', fallback: 'false', help: 'print this and exit' },
  { name: 'version', fallback: 'false', help: 'print the version and exit' },
]

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
  const values = readFlags(argv)
  function read<T>(name: string, parse: (text: string) => T): T {
    const flag = FLAGS.find((each) => each.name === name)
    const variable = environmentName(name)
    const [source, text] =
      values[name] !== undefined
        ? [`--${name} ${values[name]}`, values[name]]
        : [`${variable}=${env[variable]}`, env[variable] ?? flag?.fallback ?? '']
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`${source} ${error.message}.`)
      throw error
    }
  }
  const config: Config = {
    host: read('host', (text) => parseText(text).replace(/^\[(.*)\]$/, '$1')),
    port: read('port', parsePort),
    data: resolve(read('data', parseText)),
    assets: resolve(read('assets', (text) => text || fileURLToPath(new URL('../assets', import.meta.url)))),
    accept: read('accept', parseMediaTypes),
    maxFileSize: read('max-file-size', parseSize),
    maxTotalSize: read('max-total-size', (text) => (text === '' ? undefined : parseSize(text))),
    maxUploads: read('max-uploads', parseCount),
    readOnly: read('read-only', parseSwitch),
    cacheControl: read('cache-control', parseFieldValue),
    trustProxy: read('trust-proxy', parseSwitch),
    corsOrigin: read('cors-origin', parseOrigins),
    shutdownTimeout: read('shutdown-timeout', parseDuration),
    workers: read('workers', parseWorkers),
    logLevel: read('log-level', (text) => parseOneOf(text, LOG_LEVELS)),
    allowAnonymous: read('allow-anonymous', parseSwitch),
  }
  if (!isLoopback(config.host) && !config.allowAnonymous) {
    throw new ConfigError(
      `--host ${config.host} would let anyone on the network upload and delete: add --allow-anonymous if that is meant, or put a proxy that checks who it is in front of 127.0.0.1.`,
    )
  }
  return config
}

function readFlags(argv: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(
    FLAGS.map(({ name, value }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false })
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
    )
  } catch (error) {
    // Node's message names the argument, then adds advice on positional arguments that does not apply here.
    const [reason = ''] = error instanceof Error ? error.message.split(/\.?\n|\. (?=To |This )/) : []
    throw new ConfigError(`${reason.replace(/\.$/, '')}. --help lists the flags.`)
  }
}

function environmentName(flag: string): string {
  return flag === 'port' ? 'PORT' : `RANGE_SERVER_${flag.toUpperCase().replaceAll('-', '_')}`
}

/** The text of --help. */
export function helpText(): string {
  const rows = FLAGS.map(({ name, value, fallback, help }) => {
    const left = `  --${name}${value === undefined ? '' : ` ${value}`}`
    const right = value === undefined || fallback === '' ? help : `${help} (${fallback})`
    return `${left.padEnd(28)}${right}`
  })
  return `Usage: koa-range-server [flags]

Takes uploads in and streams them with ranges; prints its URL first.

${rows.join('\n')}

Sizes are bytes or KiB, MiB, GiB, TiB. Each flag is also an environment variable: PORT, and RANGE_SERVER_ with the
flag in capitals, e.g. RANGE_SERVER_MAX_FILE_SIZE=1GiB.
`
}
