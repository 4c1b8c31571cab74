import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { processorSeconds } from '../process-figures.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Sends a request over a kept connection; resolves to the fields of the response if it has this status. */
export type Send = (request: Request, status: number) => Promise<IncomingHttpHeaders>

export interface Client {
  readonly send: Send
  /** Ends the idle connections. Further requests open new ones. */
  close(): void
}

/** A client of the server at `port` with at most `connections` connections. */
export function openClient(port: number, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const send: Send = ({ method, path, headers = {}, body = Buffer.alloc(0) }, status) =>
    new Promise((resolve, reject) => {
      const fields = { 'Content-Length': body.length, ...headers }
      const outgoing = request(
        { host: '127.0.0.1', port, method, path, headers: fields, agent },
        (response) => {
          response.resume()
          response.on('error', reject)
          response.on('end', () => {
            if (response.statusCode === status) resolve(response.headers)
            else
              reject(new Error(`${method} ${path} was answered with ${response.statusCode}, not ${status}.`))
          })
        },
      )
      outgoing.on('error', reject).end(body)
    })
  return { send, close: () => agent.destroy() }
}

export interface Figures {
  readonly perSecond: number
  /** Processor time of the server per request, in ms. */
  readonly processor: number
}

/** Runs `task` with 0, 1, … `count` - 1, `parallel` at once. */
export async function measure(
  pid: number,
  count: number,
  parallel: number,
  task: (index: number) => Promise<unknown>,
): Promise<Figures> {
  const [start, used] = [performance.now(), processorSeconds(pid)]
  let next = 0
  const worker = async () => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  const seconds = (performance.now() - start) / 1000
  return { perSecond: count / seconds, processor: ((processorSeconds(pid) - used) / count) * 1000 }
}
