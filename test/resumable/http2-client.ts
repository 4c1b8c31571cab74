import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { type Answer, type Client, type Exchange, type Fields, Interims, type Request } from './exchange.ts'

const LIFETIME = 20_000

/**
 * All requests of a client share its connection.
 *
 * @param ca for TLS: what to trust (none: without TLS)
 */
export function http2Client(port: number, ca?: Buffer): Client {
  const session =
    ca === undefined ? connect(`http://127.0.0.1:${port}`) : connect(`https://127.0.0.1:${port}`, { ca })
  session.on('error', () => {})
  return {
    protocol: 'HTTP/2',
    open: (request) => new Http2Exchange(session, request),
    close: () => session.destroy(),
  }
}

class Http2Exchange implements Exchange {
  readonly outcome: Promise<Answer | null>
  readonly #stream: ClientHttp2Stream
  readonly #interims = new Interims()

  constructor(session: ClientHttp2Session, request: Request) {
    const stream = session.request(headersOf(request), { endStream: request.announced === undefined })
    this.#stream = stream
    stream.on('error', () => {})
    stream.on('headers', (headers: IncomingHttpHeaders) => this.#interims.add(interimOf(headers)))
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), LIFETIME)
    const chunks: Buffer[] = []
    let head: ReturnType<typeof interimOf> | undefined
    this.outcome = new Promise((resolve) => {
      stream.on('response', (headers: IncomingHttpHeaders) => {
        head = interimOf(headers)
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (head === undefined) return
        resolve({ ...head, body: Buffer.concat(chunks), interims: [...this.#interims.list] })
        stream.close()
      })
      stream.on('close', () => {
        clearTimeout(timer)
        resolve(null)
        this.#interims.over()
      })
    })
  }

  get interims() {
    return this.#interims.list
  }

  interim(isIt: Parameters<Exchange['interim']>[0], patience = 5000) {
    return this.#interims.first(isIt, this.outcome, patience)
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0 && this.#stream.writable) this.#stream.write(bytes)
  }

  end(): void {
    if (this.#stream.writable) this.#stream.end()
  }

  cut(): void {
    // `close` would send the end of the content before the reset.
    this.#stream.destroy(new Error('cut'))
  }
}

function headersOf({ method, path, fields = {}, announced }: Request): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ':method': method, ':path': path }
  for (const [name, value] of Object.entries(fields)) {
    headers[name.toLowerCase()] = typeof value === 'string' ? value : [...value]
  }
  if (announced !== null && announced !== undefined) headers['content-length'] = String(announced)
  return headers
}

function interimOf(headers: IncomingHttpHeaders): { readonly status: number; readonly fields: Fields } {
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && value !== undefined)
      fields[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { status: Number(headers[':status']), fields }
}
