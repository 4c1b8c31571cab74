export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

export interface Flag {
  readonly name: string
  /** What stands for its value in --help; none for a switch. */
  readonly value?: string
  readonly fallback: string
  readonly help: string
  /** Its value is never repeated. */
  readonly secret?: true
}

/** Where videos are stored if not in a directory, and which server sends them if not this one. */
const PLACE_FLAGS: readonly Flag[] = [
  { name: 'store', value: 'KIND', fallback: 'fs', help: 'fs: in that directory; s3: in a bucket' },
  {
    name: 's3-bucket',
    value: 'NAME',
    fallback: '',
    help: 'bucket of the uploads; keys are in AWS_ACCESS_KEY_ID etc.',
  },
  { name: 's3-endpoint', value: 'URL', fallback: '', help: "store that is not AWS's own" },
  {
    name: 's3-region',
    value: 'NAME',
    fallback: '',
    help: 'region of the bucket (us-east-1 with an endpoint)',
  },
  {
    name: 's3-prefix',
    value: 'TEXT',
    fallback: '',
    help: 'what all names in the bucket begin with, like videos/',
  },
  {
    name: 'redirect',
    value: 'WHERE',
    fallback: 'off',
    help: 'server that sends videos: off: this one; presigned: the bucket; or the URL of a CDN',
  },
]

/** All there are, in the order of --help. */
export const FLAGS: readonly Flag[] = [
  { name: 'host', value: 'ADDRESS', fallback: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', value: 'N', fallback: '8000', help: 'port to listen on; 0 takes any free one' },
  { name: 'data', value: 'DIR', fallback: './data', help: 'directory of the uploads, made where missing' },
  ...PLACE_FLAGS,
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
    name: 'max-concurrent-uploads',
    value: 'N',
    fallback: '256',
    help: 'maximum of uploads in progress, in all workers; a quarter per client address; above: 503',
  },
  {
    name: 'max-unfinished-uploads',
    value: 'N',
    fallback: '1000',
    help: 'maximum of resumable uploads that are not complete; a quarter per client address; above: 429',
  },
  {
    name: 'token',
    value: 'T',
    fallback: '',
    help: 'needed to write; better as RANGE_SERVER_TOKEN, which others cannot see',
    secret: true,
  },
  { name: 'private', fallback: 'false', help: 'ask for the token to read as well' },
  { name: 'read-only', fallback: 'false', help: 'refuse uploads and deletions' },
  {
    name: 'cache-control',
    value: 'VALUE',
    fallback: 'public, max-age=0, must-revalidate',
    help: 'Cache-Control of videos and static files',
  },
  { name: 'trust-proxy', fallback: 'false', help: 'believe X-Forwarded-Host, -Proto and -For, X-Request-Id' },
  {
    name: 'allowed-hosts',
    value: 'NAMES',
    fallback: '',
    help: 'host names that requests may be for, without ports; others get 421',
  },
  {
    name: 'cors-origin',
    value: 'ORIGINS',
    fallback: '',
    help: "other sites' origins to allow; '*' may only read",
  },
  {
    name: 'tls-cert',
    value: 'FILE',
    fallback: '',
    help: 'certificate in PEM: HTTPS with HTTP/2; SIGHUP reloads it',
  },
  { name: 'tls-key', value: 'FILE', fallback: '', help: 'its key in PEM' },
  { name: 'shutdown-timeout', value: 'TIME', fallback: '10s', help: 'how long SIGTERM waits for requests' },
  {
    name: 'stall-timeout',
    value: 'TIME',
    fallback: '60s',
    help: 'how long a client may take no byte of a response',
  },
  {
    name: 'workers',
    value: 'N',
    fallback: '1',
    help: 'processes that answer; one that ends is replaced',
  },
  {
    name: 'sendfile',
    value: 'on|off',
    fallback: 'on',
    help: 'on: the kernel sends files to HTTP/1 clients without TLS, on Linux with koffi installed',
  },
  { name: 'log-level', value: 'LEVEL', fallback: 'info', help: LOG_LEVELS.join(', ') },
  { name: 'allow-anonymous', fallback: 'false', help: 'listen beyond loopback without a token' },
  { name: 'help', fallback: 'false', help: 'print this and exit' },
  { name: 'version', fallback: 'false', help: 'print the version and exit' },
]

/**
 * The text of --help.
 *
 * @param commands a line for each command
 */
export function helpText(commands: string): string {
  const rows = FLAGS.map(({ name, value, fallback, help }) => {
    const left = `  --${name}${value === undefined ? '' : ` ${value}`}`
    const right = value === undefined || fallback === '' ? help : `${help} (${fallback})`
    return `${left.padEnd(30)} ${right}`
  })
  return `Usage: koa-range-server [flags]
       koa-range-server COMMAND [arguments]

Serves videos by ranges and accepts uploads. Prints its URL first.

Commands (COMMAND --help explains each):
${commands}

Flags:
${rows.join('\n')}

Sizes are bytes or KiB, MiB, GiB, TiB. Each flag is also an environment variable: PORT, and RANGE_SERVER_ with the
flag in capitals, e.g. RANGE_SERVER_MAX_FILE_SIZE=1GiB.
`
}
