import { onTestFinished } from 'vitest'
import { ServerProcess } from './server.ts'

type Content = Uint8Array<ArrayBuffer> | ReadableStream

/** The server in a process of its own, which takes any content unless told otherwise, until the test has finished. */
export async function startServer(
  data: string,
  ...flags: string[]
): Promise<{ readonly url: string; readonly server: ServerProcess }> {
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...flags])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { url: await server.url(), server }
}

/** Creates an upload with the first part of its content; the answer's Location is where it goes on. */
export function begin(
  url: string,
  method: string,
  path: string,
  content: Content,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return send(new URL(path, url), method, content, { 'Upload-Complete': '?0', ...headers })
}

/** @param complete whether nothing comes after it */
export function append(
  url: string,
  location: string,
  offset: number,
  content: Content,
  complete: boolean,
): Promise<Response> {
  return send(new URL(location, url), 'PATCH', content, {
    'Content-Type': 'application/partial-upload',
    'Upload-Offset': String(offset),
    'Upload-Complete': complete ? '?1' : '?0',
  })
}

/** Without Content-Length where the content is no array. */
function send(
  url: URL,
  method: string,
  body: Content,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return fetch(url, { method, headers, body, ...(body instanceof Uint8Array ? {} : { duplex: 'half' }) })
}

export function askOffset(url: string, location: string): Promise<Response> {
  return fetch(new URL(location, url), { method: 'HEAD' })
}

export function locationOf(response: Response): string {
  return response.headers.get('Location') ?? ''
}
