import { field, parseFieldLine, type Response } from './response.ts'
import { Violation } from './violation.ts'

interface Part {
  readonly first: number
  readonly last: number
  readonly size: number | null
  readonly type: string | undefined
  readonly bytes: Buffer
}

export interface Multipart {
  readonly boundary: string
  /** Whether the boundary parameter is a quoted-string, which some clients mistake. */
  readonly quoted: boolean
  readonly parts: readonly Part[]
}

const MEDIA_TYPE = /^multipart\/byteranges[ \t]*;[ \t]*boundary=(?:"([^"\\]+)"|([^\s;"]+))$/i
/** bcharsnospace and space, which may not be the last (RFC 2046 §5.1.1). */
const BOUNDARY = /^(?=.{1,70}$)[\dA-Za-z'()+_,\-./:=? ]*[\dA-Za-z'()+_,\-./:=?]$/

export function isMultipart(response: Response): boolean {
  return /^multipart\/byteranges\b/i.test(field(response, 'content-type') ?? '')
}

/** @returns `null` for anything but `bytes first-last/size` with a range that can be (RFC 9110 §14.4) */
export function parseContentRange(
  value: string | undefined,
): { first: number; last: number; size: number | null } | null {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(value ?? '') ?? []
  if (first === undefined) return null
  const range = { first: Number(first), last: Number(last), size: size === '*' ? null : Number(size) }
  const possible = range.first <= range.last && (range.size === null || range.last < range.size)
  return possible ? range : null
}

/**
 * Reads multipart/byteranges. How long a part is says its Content-Range, not the next boundary, so that content that
 * looks like a boundary changes nothing.
 *
 * @throws Violation for whatever is not as RFC 9110 §14.6 and RFC 2046 §5.1.1 have it
 */
export function parseMultipart(response: Response): Multipart {
  const mediaType = field(response, 'content-type') ?? ''
  const [, quotedBoundary, plainBoundary] = MEDIA_TYPE.exec(mediaType) ?? []
  const boundary = quotedBoundary ?? plainBoundary
  if (boundary === undefined || !BOUNDARY.test(boundary))
    throw new Violation(`Content-Type ${JSON.stringify(mediaType)} without a usable boundary`)
  const parts = readParts(response.content, boundary)
  return { boundary, quoted: quotedBoundary !== undefined, parts }
}

function readParts(content: Buffer, boundary: string): readonly Part[] {
  const cursor = new Cursor(content)
  // "Additional CRLFs might precede the first boundary string" (RFC 9110 §14.6).
  while (cursor.skip('\r\n'));
  if (!cursor.skip(`--${boundary}`)) throw new Violation('the content does not start with the boundary')
  const parts: Part[] = []
  while (!cursor.skip('--')) {
    if (!cursor.skip('\r\n')) throw new Violation('a boundary line that does not end in CRLF')
    const part = readPart(cursor)
    if (part.bytes.includes(`\r\n--${boundary}`)) throw new Violation('a part contains the boundary')
    parts.push(part)
    if (!cursor.skip(`\r\n--${boundary}`))
      throw new Violation(`no CRLF and boundary after part ${part.first}-${part.last}`)
  }
  cursor.skip('\r\n')
  if (cursor.left > 0) throw new Violation(`${cursor.left} bytes after the last boundary`)
  if (parts.length === 0) throw new Violation('multipart without a part')
  return parts
}

function readPart(cursor: Cursor): Part {
  const head = cursor.through('\r\n\r\n')
  if (head === null) throw new Violation('a part without an empty line after its header section')
  const lines = head.toString('latin1').slice(0, -4).split('\r\n').map(parseFieldLine)
  const range = parseContentRange(field({ lines }, 'content-range'))
  if (range === null) throw new Violation(`part with Content-Range ${field({ lines }, 'content-range')}`)
  const bytes = cursor.take(range.last - range.first + 1)
  return { ...range, type: field({ lines }, 'content-type'), bytes }
}

class Cursor {
  #rest: Buffer

  constructor(bytes: Buffer) {
    this.#rest = bytes
  }

  get left(): number {
    return this.#rest.length
  }

  /** Tells whether `text` comes next, and if so steps over it. */
  skip(text: string): boolean {
    const found = this.#rest.subarray(0, text.length).equals(Buffer.from(text, 'latin1'))
    if (found) this.take(text.length)
    return found
  }

  through(mark: string): Buffer | null {
    const at = this.#rest.indexOf(mark, 0, 'latin1')
    return at < 0 ? null : this.take(at + mark.length)
  }

  /** As many as there are, when there are fewer: the boundary that has to follow is then missing. */
  take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }
}
