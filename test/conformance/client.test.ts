import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixed } from './fixtures.ts'
import { checkResponse } from './invariants.ts'
import { Wire } from './wire.ts'

const FILE = fixed(Buffer.from('0123456789'))

/** What the client says of a server that sends these bytes and closes; `null`: nothing. */
async function verdictOn(bytes: string, method = 'GET'): Promise<string | null> {
  const server = createServer((socket) => socket.end(bytes, 'latin1')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const wire = await Wire.open(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  try {
    checkResponse(await wire.response(method), method, FILE)
    const leftover = await wire.leftover()
    return leftover === 0 ? null : `${leftover} bytes after the response`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    wire.close()
  }
}

/** A response of these lines, whose last is the content. */
function response(...lines: readonly string[]): string {
  return `${lines.slice(0, -1).join('\r\n')}\r\n\r\n${lines.at(-1)}`
}

const OK = 'HTTP/1.1 200 OK'
const PARTIAL = 'HTTP/1.1 206 Partial Content'
const MULTIPART = 'Content-Type: multipart/byteranges; boundary=x'
const part = (range: string, bytes: string) => `--x\r\nContent-Range: bytes ${range}\r\n\r\n${bytes}\r\n`

describe('the client of the suite', () => {
  it.each([
    ['a 200 by length', response(OK, 'Content-Length: 10', '0123456789')],
    ['a 200 to the end of the connection', response('HTTP/1.0 200 OK', 'A: b', '0123456789')],
    [
      'a 200 in chunks',
      response(OK, 'Transfer-Encoding: chunked', '4\r\n0123\r\n6;a=b\r\n456789\r\n0\r\nT: u\r\n\r\n'),
    ],
    [
      'a response after an interim one',
      `HTTP/1.1 103 Early Hints\r\n\r\n${response(OK, 'Content-Length: 10', '0123456789')}`,
    ],
    ['a 206', response(PARTIAL, 'Content-Range: bytes 2-3/10', 'Content-Length: 2', '23')],
    [
      'a multipart 206',
      response(PARTIAL, MULTIPART, `\r\n${part('0-1/10', '01')}${part('8-9/*', '89')}--x--\r\n`),
    ],
  ])('takes %s', async (_, bytes) => {
    expect(await verdictOn(bytes)).toBeNull()
  })

  it.each([
    ['no response', '', /ended before a response/],
    ['a status line without a version', response('200 OK', 'A: b', ''), /status line/],
    ['a header line without a colon', response(OK, 'Content-Length 10', '0123456789'), /header line/],
    ['space before the colon', response(OK, 'Content-Length : 10', '0123456789'), /header line/],
    ['a lone line feed', response(OK, 'A: b\nContent-Length: 10', '0123456789'), /header line/],
    ['two ETags', response(OK, 'ETag: "a"', 'ETag: "a"', '0123456789'), /2 lines of etag/],
    ['an ETag without quotes', response(OK, 'ETag: a', '0123456789'), /no entity-tag/],
    ['a date of another form', response(OK, 'Date: 2026-01-02', '0123456789'), /no IMF-fixdate/],
    [
      'length and chunks',
      response(OK, 'Content-Length: 10', 'Transfer-Encoding: chunked', ''),
      /in one response/,
    ],
    ['less than announced', response(OK, 'Content-Length: 10', '01234'), /ended after 5 bytes/],
    ['more than announced', response(OK, 'Content-Length: 10', '0123456789!'), /1 bytes after/],
    ['content of a 304', response('HTTP/1.1 304 Not Modified', 'A: b', '0123456789'), /10 bytes after/],
    [
      'another length in a 304',
      response('HTTP/1.1 304 Not Modified', 'Content-Length: 9', ''),
      /304 with Content-Length 9/,
    ],
    [
      'a chunk that is too long',
      response(OK, 'Transfer-Encoding: chunked', '2\r\n0123\r\n0\r\n\r\n'),
      /not end in CRLF/,
    ],
    [
      'chunks without an end',
      response(OK, 'Transfer-Encoding: chunked', '4\r\n0123\r\n'),
      /ended after 4 bytes/,
    ],
    ['other bytes', response(OK, 'Content-Length: 10', '0123456780'), /not the file's/],
    ['a 200 with a part', response(OK, 'Content-Length: 2', '01'), /the file has 10/],
    ['a 206 without Content-Range', response(PARTIAL, 'Content-Length: 2', '01'), /Content-Range undefined/],
    ['a range of the wrong place', response(PARTIAL, 'Content-Range: bytes 2-3/10', '01'), /not the file's/],
    ['a range shorter than it says', response(PARTIAL, 'Content-Range: bytes 2-5/10', '23'), /2 bytes/],
    ['another complete length', response(PARTIAL, 'Content-Range: bytes 2-3/11', '23'), /has 10 bytes/],
    [
      'an impossible range',
      response(PARTIAL, 'Content-Range: bytes 10-9/10', ''),
      /Content-Range bytes 10-9/,
    ],
    [
      'parts without the last boundary',
      response(PARTIAL, MULTIPART, part('0-1/10', '01')),
      /no CRLF and boundary/,
    ],
    [
      'parts with bytes behind',
      response(PARTIAL, MULTIPART, `${part('0-1/10', '01')}--x--\r\n\r\n`),
      /after the last/,
    ],
    [
      'a part that is too long',
      response(PARTIAL, MULTIPART, `${part('0-1/10', '012')}--x--`),
      /no CRLF and boundary/,
    ],
    [
      'Content-Range around parts',
      response(PARTIAL, MULTIPART, 'Content-Range: bytes 0-1/10', `${part('0-1/10', '01')}--x--`),
      /header section of a multipart/,
    ],
  ])('rejects %s', async (_, bytes, reason) => {
    expect(await verdictOn(bytes)).toMatch(reason)
  })

  it('rejects a 206 to HEAD', async () => {
    expect(await verdictOn(response(PARTIAL, 'Content-Range: bytes 0-1/10', ''), 'HEAD')).toMatch(
      /206 to HEAD/,
    )
  })
})
