import { expect } from 'vitest'
import type { HostileCase } from '../case.ts'
import { file, form, post, put, putHead, request } from '../request.ts'
import { holds } from '../stored.ts'
import { LAST, TAKEN } from './lengths.ts'

/** What the transfer codings make of the five bytes, where somebody else would read something else. */
function coding(name: string, lines: readonly string[], expect: readonly string[]): HostileCase {
  const steps = [`${putHead('coding', ...lines)}5\r\nhello\r\n${LAST}`]
  return { name: `Transfer-Encoding ${name}`, steps, expect, check: holds('hello') }
}

/** What we cannot decode is refused (RFC 9112 §6.1: 501), and never stored as if it were the content. */
const NOT_UNDERSTOOD = ['400', '415', '501']

export const CODINGS: readonly HostileCase[] = [
  coding('beside Content-Length', ['Content-Length: 5', 'Transfer-Encoding: chunked'], ['400']),
  coding('before Content-Length', ['Transfer-Encoding: chunked', 'Content-Length: 5'], ['400']),
  coding('in capitals', ['Transfer-Encoding: CHUNKED'], TAKEN),
  coding('gzip, chunked', ['Transfer-Encoding: gzip, chunked'], NOT_UNDERSTOOD),
  coding(
    'gzip and chunked on two lines',
    ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'],
    NOT_UNDERSTOOD,
  ),
  coding('chunked, gzip', ['Transfer-Encoding: chunked, gzip'], NOT_UNDERSTOOD),
  coding('gzip', ['Transfer-Encoding: gzip'], NOT_UNDERSTOOD),
  coding('chunked, chunked', ['Transfer-Encoding: chunked, chunked'], NOT_UNDERSTOOD),
  coding('identity', ['Transfer-Encoding: identity'], NOT_UNDERSTOOD),
  coding('identity, chunked', ['Transfer-Encoding: identity, chunked'], [...NOT_UNDERSTOOD, ...TAKEN]),
  coding('xchunked', ['Transfer-Encoding: xchunked'], NOT_UNDERSTOOD),
  coding('chunked with a parameter', ['Transfer-Encoding: chunked;q=1'], NOT_UNDERSTOOD),
  coding('chunked in quotes', ['Transfer-Encoding: "chunked"'], NOT_UNDERSTOOD),
  coding('chunked behind a vertical tab', ['Transfer-Encoding: \x0bchunked'], NOT_UNDERSTOOD),
  coding('empty', ['Transfer-Encoding:'], NOT_UNDERSTOOD),
  coding('with a space before the colon', ['Transfer-Encoding : chunked'], ['400']),
  coding('on a folded line', ['Transfer-Encoding:\r\n chunked'], [...TAKEN, '400']),
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    steps: [
      `${putHead('one-zero', 'Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0')}5\r\nhello\r\n${LAST}`,
    ],
    expect: [...TAKEN, '400'],
  },
]

const asks = (...lines: readonly string[]) => put('expect', 'hello', lines)
const ZIPPED = Buffer.from('1f8b0800000000000003cb48cdc9c9070086a6103605000000', 'hex')

export const EXPECTATIONS: readonly HostileCase[] = [
  {
    name: 'Expect: 100-continue with the body at once',
    steps: [asks('Expect: 100-continue')],
    expect: ['100 200', '100 201', '200', '201'],
  },
  {
    name: 'Expect: 100-continue, then the body',
    steps: [putHead('continue', 'Content-Length: 5', 'Expect: 100-continue'), { pause: 100 }, 'hello'],
    expect: ['100 201'],
    check: holds('hello'),
  },
  {
    name: 'Expect: 100-continue for too much',
    steps: [putHead('continue', `Content-Length: ${2 ** 40}`, 'Expect: 100-continue')],
    expect: ['413'],
  },
  {
    name: 'Expect: 100-continue for no key',
    steps: [putHead('%00', 'Content-Length: 5', 'Expect: 100-continue')],
    expect: ['400'],
  },
  {
    name: 'Expect: 100-continue for a form of no boundary',
    steps: [
      putHead('x', 'Content-Length: 5', 'Expect: 100-continue').replace('PUT /videos/x', 'POST /video'),
    ],
    expect: ['415'],
  },
  {
    name: 'Expect: 100-continue, and a client that leaves',
    steps: [
      putHead('leaves', 'Content-Length: 5', 'Expect: 100-continue'),
      { pause: 50 },
      { leave: 'close' },
    ],
    expect: ['100', 'none'],
  },
  {
    name: 'Expect: 100-CONTINUE',
    steps: [asks('Expect: 100-CONTINUE')],
    expect: ['100 200', '100 201', '200', '201'],
  },
  {
    name: 'Expect: 100-continue twice',
    steps: [asks('Expect: 100-continue', 'Expect: 100-continue')],
    expect: ['100 200', '100 201', '200', '201', '417'],
  },
  {
    name: 'Expect: 100-continue without a body',
    steps: [request('GET /healthz', ['Expect: 100-continue'])],
    expect: ['200', '100 200'],
  },
  { name: 'Expect: 200-ok', steps: [asks('Expect: 200-ok')], expect: ['417'] },
  {
    name: 'Expect: 100-continue in HTTP/1.0',
    steps: [asks('Expect: 100-continue').toString('latin1').replace('1.1', '1.0')],
    expect: ['200', '201'],
  },
  {
    name: 'Content-Encoding: gzip on a PUT',
    steps: [put('gzip', ZIPPED, ['Content-Encoding: gzip'])],
    expect: ['415'],
  },
  {
    name: 'Content-Encoding: x-unknown on a PUT',
    steps: [put('gzip', 'hello', ['Content-Encoding: x-unknown'])],
    expect: ['415'],
  },
  {
    name: 'Content-Encoding: identity on a PUT',
    steps: [put('identity', 'hello', ['Content-Encoding: identity'])],
    expect: ['201'],
  },
  {
    name: 'Content-Encoding on two lines',
    steps: [put('gzip', ZIPPED, ['Content-Encoding: identity', 'Content-Encoding: gzip'])],
    expect: ['415'],
  },
  {
    name: 'Content-Encoding: gzip on a form',
    steps: [post(form(file()), { lines: ['Content-Encoding: gzip'] })],
    expect: ['415'],
  },
]

const HIDDEN = 'the object that a smuggled DELETE is after'

/** Behind every case that could hide a second request stands this one. */
export const SMUGGLED: readonly HostileCase[] = [
  { name: 'an object to be deleted', steps: [put('victim', HIDDEN)], expect: ['201'] },
  ...[
    ['both lengths', 'Content-Length: 4', 'Transfer-Encoding: chunked'],
    ['a coding with a space', 'Content-Length: 4', 'Transfer-Encoding : chunked'],
    ['two lengths', 'Content-Length: 4', 'Content-Length: 60'],
    ['a coding behind another', 'Content-Length: 4', 'Transfer-Encoding: x, chunked'],
  ].map(
    ([name, ...lines]): HostileCase => ({
      name: `a DELETE smuggled by ${name}`,
      steps: [
        `${putHead('smuggler', ...lines)}0\r\n\r\n${request('DELETE /videos/victim').toString('latin1')}`,
      ],
      expect: ['400'],
    }),
  ),
  {
    name: 'the object is still there',
    steps: [request('GET /videos/victim')],
    expect: ['200'],
    check: ({ answer }) => expect(answer.content.toString()).toBe(HIDDEN),
  },
]
