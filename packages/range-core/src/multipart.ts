import { type ByteRange, formatContentRange } from './range.ts'

/** One part of multipart/byteranges: `head`, then the bytes of `range`. */
export interface MultipartPart {
  /** Boundary line and header section, ASCII, up to and including the empty line. */
  readonly head: string
  readonly range: ByteRange
}

/** A multipart/byteranges body, laid out before a byte moves. */
export interface MultipartLayout {
  /** The value of Content-Type, with the boundary. */
  readonly contentType: string
  /** The exact length of the body in bytes. */
  readonly contentLength: number
  readonly parts: readonly MultipartPart[]
  /** What follows the last part, ASCII. */
  readonly tail: string
}

/**
 * Lays out the body of a 206 with several ranges.
 *
 * @param size the complete length in bytes
 * @param type the media type that each part repeats; `undefined`: the parts have no Content-Type
 * @param boundary 1–70 characters of RFC 2046 §5.1.1 that occur nowhere in the content; default: 128 random bits
 * @see RFC 9110 §14.6, §15.3.7.2
 * @example
 * layoutMultipart([{ start: 0, end: 0 }, { start: 9, end: 9 }], 10, 'text/plain', 'x').contentType
 * // 'multipart/byteranges; boundary=x'
 */
export function layoutMultipart(
  ranges: readonly ByteRange[],
  size: number,
  type: string | undefined,
  boundary: string = randomBoundary(),
): MultipartLayout {
  const typeLine = type === undefined ? '' : `Content-Type: ${type}\r\n`
  const parts = ranges.map((range, index) => ({
    head: `${index === 0 ? '' : '\r\n'}--${boundary}\r\n${typeLine}Content-Range: ${formatContentRange(range, size)}\r\n\r\n`,
    range,
  }))
  const tail = `\r\n--${boundary}--\r\n`
  const contentLength = parts.reduce(
    (sum, { head, range }) => sum + head.length + (range.end - range.start + 1),
    tail.length,
  )
  return { contentType: `multipart/byteranges; boundary=${boundary}`, contentLength, parts, tail }
}

/** Web Crypto, which Node, browsers and workers all have; declared here so that no platform's types are needed. */
declare const crypto: { getRandomValues(array: Uint8Array): Uint8Array }

/** Returns a random boundary, so that an uploader cannot prepare content that contains it. */
function randomBoundary(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
