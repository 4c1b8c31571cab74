import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { MultipartLayout } from 'range-core'
import type { ByteStream, Content } from './content.ts'

/** A Node stream, the only kind whose abort and HEAD Koa handles right. */
export function byteBody(stream: ByteStream): Readable {
  return stream instanceof Readable ? stream : Readable.fromWeb(stream as ReadableStream)
}

/** All of the content, opened when first read: never, where koa-conditional-get turns the response into a 304. */
export function lazyBody(content: Content): Readable {
  return Readable.from(streamLater(content), { objectMode: false })
}

async function* streamLater(content: Content): AsyncGenerator<Uint8Array> {
  yield* byteBody(await content.stream())
}

/** The parts of a multipart/byteranges body, opened one after the other; the first at once, so that its failure shows. */
export async function multipartBody(content: Content, layout: MultipartLayout): Promise<Readable> {
  const first = byteBody(await content.stream(layout.parts[0]?.range))
  const body = Readable.from(streamParts(content, layout, first), { objectMode: false })
  // A generator that was never started runs no clean-up of its own.
  return body.once('close', () => first.destroy())
}

async function* streamParts(
  content: Content,
  { parts, tail }: MultipartLayout,
  first: Readable,
): AsyncGenerator<Uint8Array> {
  for (const [index, { head, range }] of parts.entries()) {
    yield Buffer.from(head, 'latin1')
    yield* index === 0 ? first : byteBody(await content.stream(range))
  }
  yield Buffer.from(tail, 'latin1')
}
