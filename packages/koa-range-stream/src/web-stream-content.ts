import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import type Koa from 'koa'
import type { Content } from './content.ts'
import { clientGone, contentTruncated } from './errors.ts'

export function isWebStream(body: unknown): body is ReadableStream<Uint8Array> {
  return body instanceof ReadableStream
}

/**
 * A web stream whose length the app has declared, or `null`: what goes before a range has to be read and dropped, and
 * it can be read only once, so there is one range to a request.
 */
export function webStreamContent(ctx: Koa.Context, body: ReadableStream<Uint8Array>): Content | null {
  const length = String(ctx.res.getHeader('Content-Length') ?? '')
  if (!/^\d{1,15}$/.test(length) || body.locked || isDisturbed(body)) return null
  let source: Readable | undefined
  ctx.res.once('close', () => {
    // Koa never cancels the web stream of a HEAD or a 304.
    if (source === undefined) body.cancel().catch(() => {})
    else if (!source.destroyed) source.destroy(clientGone())
  })
  return {
    size: Number(length),
    stream: async ({ start } = { start: 0, end: 0 }) => {
      source = Readable.fromWeb(body)
      await skip(source, start)
      return source
    },
  }
}

/** Whether it was read or cancelled: then it may lack bytes that Content-Length counts. Node's types know it of its own streams only. */
function isDisturbed(body: ReadableStream<Uint8Array>): boolean {
  return Reflect.apply(Readable.isDisturbed, undefined, [body]) === true
}

async function skip(source: Readable, length: number): Promise<void> {
  let left = length
  if (left === 0) return
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    if (chunk.length > left) source.unshift(chunk.subarray(left))
    left -= chunk.length
    if (left <= 0) return
  }
  throw contentTruncated(left)
}
