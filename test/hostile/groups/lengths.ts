import type { HostileCase, Step } from '../case.ts'
import { MAX_FILE_SIZE } from '../probed-server.ts'
import { bytesOf, chunked, file, form, post, putHead, request } from '../request.ts'
import { holds } from '../stored.ts'

const HALF: Step = { leave: 'half' }

/** A PUT with this Content-Length before the five bytes `hello`, after which the client's side ends where `end` is. */
function length(name: string, lines: readonly string[], expect: readonly string[], end?: Step): HostileCase {
  const steps = [`${putHead('length', ...lines)}hello`, ...(end === undefined ? [] : [end])]
  return { name: `Content-Length ${name}`, steps, expect, check: holds('hello') }
}

const value = (text: string) => [`Content-Length: ${text}`]
const LEFT = ['none', '400']

export const CONTENT_LENGTH: readonly HostileCase[] = [
  length('that is right', value('5'), ['201']),
  length('with zeros in front', value('0000000005'), ['200', '201', '400']),
  length('too large, then the end', value('6'), LEFT, HALF),
  length('far too large, then the end', value('1000000'), LEFT, HALF),
  length('too large, then a close', value('6'), ['none'], { leave: 'close' }),
  length('negative', value('-5'), ['400']),
  length('of minus zero', value('-0'), ['400']),
  length('with a plus', value('+5'), ['400']),
  length('as a list of the same', value('5, 5'), ['200', '201', '400']),
  length('as a list of two', value('5, 6'), ['400']),
  length('twice, the same', [...value('5'), ...value('5')], ['200', '201', '400']),
  length('twice, two numbers', [...value('5'), ...value('6')], ['400']),
  length('in hexadecimal', value('0x5'), ['400']),
  length('with a unit', value('5B'), ['400']),
  length('with an exponent', value('5e0'), ['400']),
  length('with a fraction', value('5.0'), ['400']),
  length('of two words', value('5 5'), ['400']),
  length('empty', value(''), ['400']),
  length('in other digits', value('\xef\xbc\x95'), ['400']),
  length('with a NUL', value('5\0'), ['400']),
  length('of the limit and a byte', value(String(MAX_FILE_SIZE + 1)), ['413']),
  length('of 2^53 + 1', value('9007199254740993'), ['413']),
  length('of 2^63', value('9223372036854775808'), ['400', '413']),
  length('of 2^64 - 1', value('18446744073709551615'), ['400', '413']),
  // Wraps around to 5 in 64 bits.
  length('of 2^64 + 5', value('18446744073709551621'), ['400', '413']),
  length('of 400 digits', value('9'.repeat(400)), ['400', '413']),
  length('of 400 zeros and a 5', value(`${'0'.repeat(400)}5`), ['200', '201', '400']),
  length('of 20,000 digits', value('1'.repeat(20_000)), ['400', '413', '431']),
  {
    name: 'Content-Length too small for a PUT',
    steps: [`${putHead('small', ...value('3'))}hello`],
    expect: ['201 400', '400'],
    check: holds('hel'),
  },
  {
    name: 'Content-Length too small for a form',
    steps: [post(form(file()), { length: 20 })],
    expect: ['400', '400 400'],
  },
  {
    name: 'Content-Length of a form that hides a request behind it',
    steps: [bytesOf(post(form(file())), request('GET /healthz'))],
    expect: ['201 200'],
  },
  { name: 'no length at all', steps: [`${putHead('no-length')}`], expect: ['200', '201', '400', '411'] },
]

/** A chunked PUT of this body as it is. */
function chunks(
  name: string,
  body: string,
  expect: readonly string[],
  content = 'hello',
  end?: Step,
): HostileCase {
  const head = putHead('chunks', 'Transfer-Encoding: chunked')
  const steps = [`${head}${body}`, ...(end === undefined ? [] : [end])]
  return { name: `chunks ${name}`, steps, expect, check: holds(content) }
}

/** What a PUT that is taken is answered. */
export const TAKEN: readonly string[] = ['200', '201']
const TAKEN_OR_NOT = ['200', '201', '400']
const BAD = ['400', 'none']
/** The last chunk. */
export const LAST = '0\r\n\r\n'

export const CHUNKS: readonly HostileCase[] = [
  chunks('as they should be', `5\r\nhello\r\n${LAST}`, TAKEN),
  chunks('with zeros in front of a size', `0000000000005\r\nhello\r\n${LAST}`, TAKEN_OR_NOT),
  chunks('with an extension', `5;name=value;flag\r\nhello\r\n${LAST}`, TAKEN),
  chunks('with an extension in quotes', `5;name="a\\"b;c"\r\nhello\r\n${LAST}`, TAKEN_OR_NOT),
  chunks('with an extension of 1 MB', `5;${'x'.repeat(1_000_000)}\r\nhello\r\n${LAST}`, [
    '400',
    '413',
    'none',
  ]),
  chunks(
    'with extensions of 1 MB in all',
    `1;${'x'.repeat(1000)}\r\nx\r\n`.repeat(1000) + LAST,
    [...TAKEN, '400', '413', 'none'],
    'x'.repeat(1000),
  ),
  chunks('with an LF in an extension', `5;a\nhello\r\n${LAST}`, BAD),
  chunks('without a size', `\r\nhello\r\n${LAST}`, BAD),
  chunks('of a size that is none', `zz\r\nhello\r\n${LAST}`, BAD),
  chunks('of a negative size', `-5\r\nhello\r\n${LAST}`, BAD),
  chunks('of a size with a plus', `+5\r\nhello\r\n${LAST}`, BAD),
  chunks('of a size with 0x', `0x5\r\nhello\r\n${LAST}`, BAD),
  chunks('of a size behind a space', ` 5\r\nhello\r\n${LAST}`, BAD),
  chunks('of a size before a space', `5 \r\nhello\r\n${LAST}`, [...BAD, '200', '201']),
  chunks('of 2^64 + 5', `10000000000000005\r\nhello\r\n${LAST}`, BAD),
  chunks('of 2^63 - 1', '7fffffffffffffff\r\nhello', ['400', '413', 'none'], 'hello', HALF),
  chunks('of 10,000 digits', `${'0'.repeat(9999)}5\r\nhello\r\n${LAST}`, [
    ...TAKEN_OR_NOT,
    '413',
    '431',
    'none',
  ]),
  chunks('longer than their size', `3\r\nhello\r\n${LAST}`, BAD),
  chunks('shorter than their size', `9\r\nhello\r\n${LAST}`, BAD, 'hello', HALF),
  chunks('without CRLF behind', `5\r\nhello${LAST}`, BAD),
  chunks('with bare LF', `5\nhello\n0\n\n`, BAD),
  chunks('with bare CR', `5\rhello\r0\r\r`, BAD),
  chunks('without the last one', '5\r\nhello\r\n', BAD, 'hello', HALF),
  chunks('with half of the last one', '5\r\nhello\r\n0\r\n', BAD, 'hello', HALF),
  chunks('with a trailer', `5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n`, TAKEN),
  chunks('with Content-Length as a trailer', `5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n`, TAKEN_OR_NOT),
  chunks('with a trailer without a colon', `5\r\nhello\r\n0\r\nno colon\r\n\r\n`, [...TAKEN_OR_NOT, 'none']),
  chunks('with 100 KB of trailers', `5\r\nhello\r\n0\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}\r\n`, [
    '400',
    '413',
    '431',
    'none',
    '200',
    '201',
  ]),
  chunks('with nothing', LAST, TAKEN, ''),
  {
    name: 'chunks of a byte, 5,000 of them',
    steps: () => [putHead('bytes', 'Transfer-Encoding: chunked'), chunked(Buffer.alloc(5000, 'x'), 1)],
    expect: TAKEN,
    check: holds(Buffer.alloc(5000, 'x')),
  },
  {
    name: 'chunks that go beyond the limit',
    steps: () => [
      putHead('beyond', 'Transfer-Encoding: chunked'),
      chunked(Buffer.alloc(MAX_FILE_SIZE + 1), 1000),
    ],
    expect: ['413'],
  },
  {
    name: 'chunks that go beyond the limit by megabytes',
    steps: () => [
      putHead('far-beyond', 'Transfer-Encoding: chunked'),
      chunked(Buffer.alloc(8 * MAX_FILE_SIZE), 60_000),
    ],
    expect: ['413', 'none'],
  },
]
