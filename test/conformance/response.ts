import { Violation } from './violation.ts'

/** Where the bytes of a response come from. */
export interface ByteSource {
  /** The bytes up to and with `mark`, or `null` when the connection ends before it. */
  through(mark: string, atMost: number): Promise<Buffer | null>
  /** `count` bytes, or fewer when the connection ends before. */
  bytes(count: number): Promise<Buffer>
}

/** Name and value of each header line as they came, in order. */
type FieldLines = readonly (readonly [name: string, value: string])[]

interface Head {
  readonly status: number
  readonly version: string
  readonly lines: FieldLines
}

interface Content {
  readonly content: Buffer
  /** How the end of the content was found; `none`: there is none by rule. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  /** `short`: the connection ended first; `unread`: we stopped at the limit. */
  readonly end: 'complete' | 'short' | 'unread'
}

export interface Response extends Head, Content {
  readonly milliseconds: number
}

const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/
const FIELD_CONTENT = /^[\t\x20-\x7e\x80-\xff]*$/
const MAX_HEAD = 65_536

/** Fields that hold one value, so that a second line makes the first doubtful. */
const SINGLE = [
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
]

/** The value of a field, its lines joined as RFC 9110 §5.3 has it; `undefined` when it was not sent. */
export function field({ lines }: { readonly lines: FieldLines }, name: string): string | undefined {
  const values = lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Reads up to the final response's empty line; interim responses are read and dropped. */
export async function readHead(source: ByteSource): Promise<Head> {
  for (;;) {
    const bytes = await source.through('\r\n\r\n', MAX_HEAD)
    if (bytes === null) throw new Violation('the connection ended before a response')
    const head = parseHead(bytes.toString('latin1', 0, bytes.length - 4))
    if (head.status >= 200) return head
  }
}

function parseHead(text: string): Head {
  const [statusLine = '', ...rest] = text.split('\r\n')
  const [, version, status] = STATUS_LINE.exec(statusLine) ?? []
  if (version === undefined) throw new Violation(`status line ${JSON.stringify(statusLine)}`)
  const lines = rest.map(parseFieldLine)
  for (const name of SINGLE) {
    const count = lines.filter(([other]) => other.toLowerCase() === name).length
    if (count > 1) throw new Violation(`${count} lines of ${name}`)
  }
  return { status: Number(status), version, lines }
}

/** @throws Violation for a line that is not `token ":" OWS field-value OWS` (RFC 9112 §5) */
export function parseFieldLine(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
  if (!TOKEN.test(name) || !FIELD_CONTENT.test(value))
    throw new Violation(`header line ${JSON.stringify(line)}`)
  return [name, value]
}

/** Finds the end of the content by the rules of RFC 9112 §6.3, in their order. */
export async function readContent(
  source: ByteSource,
  head: Head,
  method: string,
  limit: number,
): Promise<Content> {
  const transferEncoding = field(head, 'transfer-encoding')
  const length = field(head, 'content-length')
  if (length !== undefined && !/^\d+$/.test(length)) throw new Violation(`Content-Length ${length}`)
  if (length !== undefined && transferEncoding !== undefined)
    throw new Violation('Content-Length and Transfer-Encoding in one response')
  if (head.status === 204 && (length ?? transferEncoding) !== undefined)
    throw new Violation('a 204 that announces content')
  if (method === 'HEAD' || head.status === 204 || head.status === 304)
    return { content: Buffer.alloc(0), framing: 'none', end: 'complete' }
  if (transferEncoding !== undefined) return readChunked(source, transferEncoding)
  return readPlain(source, length === undefined ? Number.POSITIVE_INFINITY : Number(length), limit)
}

async function readPlain(source: ByteSource, length: number, limit: number): Promise<Content> {
  const framing = length === Number.POSITIVE_INFINITY ? 'close' : 'length'
  const content = await source.bytes(Math.min(length, limit))
  if (content.length === length || (framing === 'close' && content.length < limit))
    return { content, framing, end: 'complete' }
  return { content, framing, end: content.length === limit ? 'unread' : 'short' }
}

async function readChunked(source: ByteSource, transferEncoding: string): Promise<Content> {
  if (transferEncoding.toLowerCase() !== 'chunked')
    throw new Violation(`Transfer-Encoding ${transferEncoding}`)
  const chunks: Buffer[] = []
  for (;;) {
    const size = await readChunkSize(source)
    const chunk = await source.bytes(size ?? 0)
    chunks.push(chunk)
    if (size === null || size === 0 || chunk.length < size) {
      const complete = size === 0 && (await endsTrailers(source))
      return { content: Buffer.concat(chunks), framing: 'chunked', end: complete ? 'complete' : 'short' }
    }
    const end = await source.bytes(2)
    if (end.toString('latin1') !== '\r\n') throw new Violation('a chunk that does not end in CRLF')
  }
}

/** @returns `null` when the connection ends first */
async function readChunkSize(source: ByteSource): Promise<number | null> {
  const line = await source.through('\r\n', 1024)
  if (line === null) return null
  const [, digits] = /^([\da-f]{1,8})(?:;.*)?\r\n$/i.exec(line.toString('latin1')) ?? []
  if (digits === undefined) throw new Violation(`chunk size ${JSON.stringify(line.toString('latin1'))}`)
  return Number.parseInt(digits, 16)
}

async function endsTrailers(source: ByteSource): Promise<boolean> {
  for (;;) {
    const line = await source.through('\r\n', MAX_HEAD)
    if (line === null) return false
    if (line.length === 2) return true
  }
}
