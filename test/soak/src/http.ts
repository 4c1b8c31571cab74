import { once } from 'node:events'
import { type Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly body?: Buffer
  /** Leave after so many bytes of the answer. */
  readonly leaveAfter?: number
  /** Leave after so many bytes of the body. */
  readonly cutAt?: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** One request; `null` where we left in the middle, as asked. */
export async function send(base: string, agent: Agent, sent: Sent): Promise<Answer | null> {
  const { method, path, body, cutAt, leaveAfter } = sent
  const length = body === undefined ? {} : { 'content-length': body.length }
  const outgoing = request(`${base}${path}`, { agent, method, headers: { ...length, ...sent.headers } })
  const responded = once(outgoing, 'response')
  if (cutAt !== undefined) {
    responded.catch(() => {})
    outgoing.write(body?.subarray(0, cutAt), () => setTimeout(() => outgoing.destroy(), 20))
    await new Promise((resolve) => outgoing.once('close', resolve))
    return null
  }
  outgoing.end(body)
  const [response] = await responded
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    received += chunk.length
    if (leaveAfter !== undefined && received >= leaveAfter) {
      outgoing.destroy()
      return null
    }
  }
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}
