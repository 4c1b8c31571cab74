import { connect, type Socket } from 'node:net'
import { type Answer, type Client, type Exchange, type Fields, Interims, type Request } from './exchange.ts'

/** How long one connection may last, whatever happens on it. */
const LIFETIME = 20_000

/** HTTP/1.1 by hand over a socket a request. */
export function http1Client(port: number): Client {
  const open = new Set<Http1Exchange>()
  return {
    protocol: 'HTTP/1.1',
    open: (request) => {
      const exchange = new Http1Exchange(port, request)
      open.add(exchange)
      return exchange
    },
    close: () => {
      for (const exchange of open) exchange.cut()
    },
  }
}

class Http1Exchange implements Exchange {
  readonly outcome: Promise<Answer | null>
  readonly #socket: Socket
  readonly #interims = new Interims()
  readonly #chunked: boolean
  readonly #method: string
  #received: Buffer = Buffer.alloc(0)

  constructor(port: number, request: Request) {
    this.#method = request.method
    this.#chunked = request.announced === null
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket = socket
    // A server that hangs up while we send: what counts is what it said before.
    socket.on('error', () => {})
    const timer = setTimeout(() => socket.destroy(), LIFETIME)
    this.outcome = new Promise((resolve, reject) => {
      const look = (ended: boolean) => {
        try {
          const answer = this.#parse(ended)
          if (answer === null) return
          resolve(answer)
        } catch (error) {
          reject(error)
        }
        socket.destroy()
      }
      socket.on('data', (chunk: Buffer) => {
        this.#received = Buffer.concat([this.#received, chunk])
        look(false)
      })
      socket.on('end', () => look(true))
      socket.on('close', () => {
        clearTimeout(timer)
        resolve(null)
        this.#interims.over()
      })
    })
    socket.write(headOf(request, port, this.#chunked), 'latin1')
  }

  get interims() {
    return this.#interims.list
  }

  interim(isIt: Parameters<Exchange['interim']>[0], patience = 5000) {
    return this.#interims.first(isIt, this.outcome, patience)
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#socket.destroyed) return
    if (this.#chunked) this.#socket.write(`${bytes.length.toString(16)}\r\n`)
    this.#socket.write(bytes)
    if (this.#chunked) this.#socket.write('\r\n')
  }

  end(): void {
    if (this.#chunked && !this.#socket.destroyed) this.#socket.write('0\r\n\r\n')
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** Takes the interim responses off what has come; the final one once it is whole. */
  #parse(ended: boolean): Answer | null {
    for (;;) {
      const at = this.#received.indexOf('\r\n\r\n')
      if (at < 0) return null
      const { status, fields } = parseHead(this.#received.toString('latin1', 0, at))
      const rest = this.#received.subarray(at + 4)
      if (status >= 200) {
        const body = bodyOf(this.#method, status, fields, rest, ended)
        return body === null ? null : { status, fields, body, interims: [...this.#interims.list] }
      }
      this.#received = rest
      this.#interims.add({ status, fields })
    }
  }
}

function headOf({ method, path, fields = {}, announced }: Request, port: number, chunked: boolean): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`]
  for (const [name, values] of Object.entries(fields))
    for (const value of typeof values === 'string' ? [values] : values) lines.push(`${name}: ${value}`)
  if (chunked) lines.push('Transfer-Encoding: chunked')
  else if (announced !== null && announced !== undefined) lines.push(`Content-Length: ${announced}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function parseHead(text: string): { readonly status: number; readonly fields: Fields } {
  const [first = '', ...lines] = text.split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
  if (Number.isNaN(status)) throw new Error(`Not a status line: ${first}`)
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`Not a field line: ${line}`)
    const known = fields[name.toLowerCase()]
    fields[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`
  }
  return { status, fields }
}

function bodyOf(
  method: string,
  status: number,
  fields: Fields,
  bytes: Buffer,
  ended: boolean,
): Buffer | null {
  if (method === 'HEAD' || status === 204 || status === 304) return Buffer.alloc(0)
  if (/\bchunked$/i.test(fields['transfer-encoding'] ?? '')) return dechunked(bytes)
  const length = fields['content-length']
  if (length === undefined) return ended ? bytes : null
  return bytes.length < Number(length) ? null : bytes.subarray(0, Number(length))
}

function dechunked(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return null
    const length = Number.parseInt(bytes.toString('latin1', at, end), 16)
    const next = end + 2 + length
    if (bytes.length < next + 2) return null
    if (length === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(end + 2, next))
    at = next + 2
  }
}
