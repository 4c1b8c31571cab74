import { readFileSync } from 'node:fs'
import { get as getHttp, type IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import type { Config } from '../config/config.ts'
import { type Call, type Command, commandConfig } from './command.ts'

/** In ms. */
const TIMEOUT = 5000

export const HEALTH: Command = {
  name: 'health',
  operands: '',
  summary: 'Asks the running server for /healthz; exit code 0 if it answers, or else 1',
  flags: [{ name: 'ready', help: 'ask /readyz: whether it can store and serve' }],
  subject:
    'It asks 127.0.0.1:8000. For another server give its flags, such as --port 9000 --tls-cert cert.pem --tls-key key.pem.',
  run: health,
}

async function health({ config, hasServerFlags, flags, report }: Call): Promise<number> {
  const server = (hasServerFlags ? null : serverOfContainer()) ?? config
  const url = `${originOf(server)}${flags.has('ready') ? '/readyz' : '/healthz'}`
  try {
    const status = await statusOf(url)
    const isHealthy = status === 200
    const fields = { status: isHealthy ? 'healthy' : 'unhealthy', url, response: status }
    if (isHealthy) report.result(fields, `${url} answers`)
    else report.fault(fields, `${url} answers with ${status}`)
    return isHealthy ? 0 : 1
  } catch (error) {
    const reason = reasonOf(error, url)
    report.fault({ status: 'unhealthy', url, reason }, `${url} does not answer: ${reason}`)
    return 1
  }
}

function reasonOf(error: unknown, url: string): string {
  if (!(error instanceof Error)) return String(error)
  const isReset = 'code' in error && error.code === 'ECONNRESET' && url.startsWith('http:')
  return isReset
    ? `${error.message}. If the server uses TLS, give --tls-cert and --tls-key too.`
    : error.message
}

/**
 * In a container, process 1 is the server, or an init program with the server's command in its arguments. The flags there may
 * be others than those of this command.
 */
function serverOfContainer(): Config | null {
  try {
    const argv = readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1)
    const main = argv.findIndex((argument) => /(?:^|\/)(?:main\.js|koa-range-server)$/.test(argument))
    return main === -1 ? null : commandConfig(argv.slice(main + 1), process.env)
  } catch {
    return null
  }
}

/** A server on all addresses also answers on loopback. */
function originOf({ host, port, tlsCert }: Config): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const name = local.includes(':') ? `[${local}]` : local
  return `${tlsCert === undefined ? 'http' : 'https'}://${name}:${port}`
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }
    // The certificate is for the public name.
    const request = url.startsWith('https:')
      ? getHttps(url, { rejectUnauthorized: false, timeout: TIMEOUT }, answered)
      : getHttp(url, { timeout: TIMEOUT }, answered)
    request.once('timeout', () => request.destroy(new Error(`no response within ${TIMEOUT / 1000} s`)))
    request.once('error', reject)
  })
}
