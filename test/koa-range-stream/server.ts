import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { onTestFinished } from 'vitest'

export interface Server {
  readonly port: number
  /** What Koa reported as `error` events. */
  readonly errors: readonly Error[]
}

/** A Koa app on a port of its own, until the test has finished. */
export async function serve(...middleware: readonly Koa.Middleware[]): Promise<Server> {
  const app = new Koa()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  for (const one of middleware) app.use(one)
  const server = http.createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port, errors }
}

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: http.OutgoingHttpHeaders
}

/** The whole response; rejects when the connection ends before it does. */
export async function ask(server: Server, request: Ask = {}): Promise<Reply> {
  const response = await open(server, request)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  return { status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() }
}

/** A response of which no byte of the body has been read. */
export async function open(
  { port }: Server,
  { method = 'GET', path = '/', headers = {} }: Ask = {},
): Promise<http.IncomingMessage> {
  // A connection of its own, kept alive: on one that closes anyway, a response without its last bytes looks cut off.
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent })
  request.end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return response
}

/** Reads to the end; rejects when the connection ends before the response does. */
export async function drain(response: http.IncomingMessage): Promise<void> {
  for await (const _chunk of response);
}

/** Replaces the entity-tag after the response was planned, so that a client that was to get 304 gets all of it. */
export const retag: Koa.Middleware = async (ctx, next) => {
  await next()
  ctx.set('ETag', '"another"')
}
