import { Readable } from 'node:stream'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import { type Content, type ServeContentOptions, serveContent } from 'koa-range-stream'
import type { ByteRange } from 'range-core'
import { type Server, serve } from './server.ts'

export const BYTES = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz')
export const LAST_MODIFIED = 'Sun, 01 Jun 2025 00:00:00 GMT'

/** Content of 36 bytes that counts how often it is opened, and for what. */
export class CountedContent implements Content {
  readonly size: number = BYTES.length
  readonly etag = '"v1"'
  readonly lastModified: number = Date.parse(LAST_MODIFIED)
  readonly type: string = 'video/mp4'
  readonly opened: (ByteRange | undefined)[] = []

  stream(range?: ByteRange): Readable {
    this.opened.push(range)
    return Readable.from([slice(range)])
  }
}

export function slice({ start, end }: ByteRange = { start: 0, end: BYTES.length - 1 }): Buffer {
  return BYTES.subarray(start, end + 1)
}

/** A server that answers every request with this content, behind koa-conditional-get. */
export function serveBehindConditional(content: Content, options?: ServeContentOptions): Promise<Server> {
  return serve(conditional(), answer(content, options))
}

export function answer(content: Content, options?: ServeContentOptions): Koa.Middleware {
  return (ctx) => serveContent(ctx, content, options)
}

export interface Part {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The parts of a multipart/byteranges body, read as RFC 2046 §5.1.1 writes them. */
export function readMultipart(contentType: string | undefined, body: Buffer): Part[] {
  const boundary = /^multipart\/byteranges; boundary=([0-9a-f]+)$/.exec(contentType ?? '')?.[1]
  const text = `\r\n${body.toString('latin1')}`
  const sections = text.split(`\r\n--${boundary}`)
  if (sections[0] !== '' || sections.at(-1) !== '--\r\n') throw new Error(`No multipart body: ${text}`)
  return sections.slice(1, -1).map((section) => {
    const [head = '', ...rest] = section.split('\r\n\r\n')
    const fields = head.split('\r\n').slice(1)
    return {
      headers: Object.fromEntries(fields.map((line) => line.split(': '))),
      body: rest.join('\r\n\r\n'),
    }
  })
}
