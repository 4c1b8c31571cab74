import { parseFieldLine } from '../conformance/response.ts'

export interface Answer {
  readonly status: number
  /** By lower-case name; lines of one name are joined by a comma. */
  readonly fields: ReadonlyMap<string, string>
  readonly content: Buffer
}

/** Answers that are complete, in order and with the interim ones, and the bytes that came after them. */
interface Parsed {
  readonly answers: readonly Answer[]
  readonly rest: Buffer
}

/**
 * Cuts what a server sent into its answers, by RFC 9112 §6.3.
 *
 * @param ended the server has closed, so that content without a length is complete
 * @param head the first final answer is to a HEAD
 * @throws Violation, SyntaxError for what is no HTTP/1.1
 */
export function parseAnswers(bytes: Buffer, ended: boolean, head = false): Parsed {
  const answers: Answer[] = []
  let rest = bytes
  for (;;) {
    const bodiless = head && answers.every(({ status }) => status < 200)
    const next = parseOne(rest, ended, bodiless)
    if (next === null) return { answers, rest }
    answers.push(next.answer)
    rest = next.rest
  }
}

function parseOne(bytes: Buffer, ended: boolean, bodiless: boolean): { answer: Answer; rest: Buffer } | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, code] = /^HTTP\/1\.1 (\d{3}) [ -~]*$/.exec(statusLine) ?? []
  if (code === undefined) throw new SyntaxError(`status line ${JSON.stringify(statusLine)}`)
  const status = Number(code)
  const fields = new Map<string, string>()
  for (const [name, value] of lines.map(parseFieldLine)) {
    const key = name.toLowerCase()
    fields.set(key, fields.has(key) ? `${fields.get(key)}, ${value}` : value)
  }
  const none = bodiless || status < 200 || status === 204 || status === 304
  const body = bytes.subarray(end + 4)
  const cut = none ? { content: Buffer.alloc(0), rest: body } : cutContent(body, fields, ended)
  return cut === null ? null : { answer: { status, fields, content: cut.content }, rest: cut.rest }
}

function cutContent(
  body: Buffer,
  fields: ReadonlyMap<string, string>,
  ended: boolean,
): { content: Buffer; rest: Buffer } | null {
  const length = fields.get('content-length')
  if (fields.get('transfer-encoding') === 'chunked') return cutChunks(body)
  if (length === undefined) return ended ? { content: body, rest: Buffer.alloc(0) } : null
  if (!/^\d+$/.test(length)) throw new SyntaxError(`Content-Length ${length}`)
  if (body.length < Number(length)) return null
  return { content: body.subarray(0, Number(length)), rest: body.subarray(Number(length)) }
}

function cutChunks(body: Buffer): { content: Buffer; rest: Buffer } | null {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (Number.isNaN(size)) throw new SyntaxError('a chunk without size')
    const next = lineEnd + 2 + size + 2
    if (next > body.length) return null
    if (size === 0) return { content: Buffer.concat(chunks), rest: body.subarray(next) }
    chunks.push(body.subarray(lineEnd + 2, next - 2))
    at = next
  }
}
