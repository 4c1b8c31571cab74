import type { HostileCase } from '../case.ts'
import { bytesOf, file, form, post } from '../request.ts'
import { holds } from '../stored.ts'

function typed(
  name: string,
  type: string | null,
  expect: readonly string[],
  body = form(file()),
): HostileCase {
  return { name, steps: [post(body, { type })], expect, check: holds() }
}

const LONG = 'L'.repeat(70)
const bounded = (boundary: string) =>
  bytesOf(form(file()).toString('latin1').replaceAll('--b', `--${boundary}`))

/** The boundary that the Content-Type names. */
export const BOUNDARY: readonly HostileCase[] = [
  typed('no boundary', 'multipart/form-data', ['400']),
  typed('an empty boundary', 'multipart/form-data; boundary=', ['400', '415']),
  typed('an empty boundary in quotes', 'multipart/form-data; boundary=""', ['400']),
  typed('a boundary without a value', 'multipart/form-data; boundary', ['400', '415']),
  typed('another boundary than in the body', 'multipart/form-data; boundary=c', ['400']),
  typed('a boundary of 70 characters', `multipart/form-data; boundary=${LONG}`, ['201'], bounded(LONG)),
  // RFC 2046 §5.1.1 ends at 70.
  typed(
    'a boundary of 71 characters',
    `multipart/form-data; boundary=${LONG}L`,
    ['201', '400'],
    bounded(`${LONG}L`),
  ),
  typed(
    'a boundary of 8,000 characters',
    `multipart/form-data; boundary=${'L'.repeat(8000)}`,
    ['201', '400'],
    bounded('L'.repeat(8000)),
  ),
  typed('a boundary in quotes', 'multipart/form-data; boundary="b"', ['201']),
  typed('a boundary of two words', 'multipart/form-data; boundary="a b"', ['201', '400'], bounded('a b')),
  typed(
    'a boundary that ends in a space',
    'multipart/form-data; boundary="b "',
    ['201', '400'],
    bounded('b '),
  ),
  typed('a boundary with an open quote', 'multipart/form-data; boundary="b', ['400', '415']),
  typed(
    'a boundary with characters of regular expressions',
    'multipart/form-data; boundary=".*(+)?"',
    ['201', '400'],
    bounded('.*(+)?'),
  ),
  typed('two boundaries', 'multipart/form-data; boundary=b; boundary=c', ['201', '400']),
  typed('a boundary of dashes', 'multipart/form-data; boundary=------', ['201', '400'], bounded('------')),
  typed('names in capitals', 'MULTIPART/FORM-DATA; BOUNDARY=b', ['201']),
  typed('no space before the parameter', 'multipart/form-data;boundary=b', ['201']),
  typed('a boundary after 500 other parameters', `multipart/form-data${'; x=y'.repeat(500)}; boundary=b`, [
    '201',
    '400',
  ]),
  typed('multipart/mixed', 'multipart/mixed; boundary=b', ['415']),
  typed('multipart/form-data-x', 'multipart/form-data-x; boundary=b', ['415']),
  typed('multipart/form-data/x', 'multipart/form-data/x; boundary=b', ['400', '415']),
  typed('multipart alone', 'multipart; boundary=b', ['415']),
  typed('no Content-Type', null, ['415']),
]

function raw(name: string, body: string | Buffer, expect: readonly string[], content?: string): HostileCase {
  return { name, steps: [post(body)], expect, ...(content === undefined ? {} : { check: holds(content) }) }
}

const FILE = file().toString('latin1')
/** The headers of the file's part. */
export const DISPOSITION = 'Content-Disposition: form-data; name="file"; filename="a"'

/** Where parts begin and end. */
export const DELIMITERS: readonly HostileCase[] = [
  raw('no last boundary', FILE, ['400']),
  raw('a last boundary with one dash', `${FILE}--b-`, ['400']),
  raw('a last boundary without the CRLF behind', `${FILE}--b--`, ['201'], 'content'),
  raw('a body that ends in a file', `--b\r\n${DISPOSITION}\r\n\r\npartial`, ['400']),
  raw('a body that ends in the headers of a part', `--b\r\n${DISPOSITION}`, ['400']),
  raw('a body that ends before the content of a part', `--b\r\n${DISPOSITION}\r\n\r\n`, ['400']),
  raw('a body of a first boundary only', '--b\r\n', ['400']),
  raw('an empty body', '', ['400', '422']),
  { name: 'no body at all', steps: [post('', { length: null })], expect: ['400', '411', '422'] },
  raw('a body of the last boundary only', '--b--\r\n', ['422']),
  raw('a preamble', `preamble\r\n${FILE}--b--\r\n`, ['201'], 'content'),
  raw('a preamble of 100 KB', `${'p'.repeat(100_000)}\r\n${FILE}--b--\r\n`, ['201'], 'content'),
  raw('an epilogue', `${FILE}--b--\r\nepilogue ${FILE}`, ['201'], 'content'),
  raw('an epilogue of 100 KB of boundaries', `${FILE}--b--\r\n${'--b\r\n'.repeat(20_000)}`, [
    '201',
    '400',
    '413',
  ]),
  raw(
    'a second form in the epilogue',
    `${FILE}--b--\r\n${file('other')}--b--\r\n`,
    ['201', '400', '413'],
    'content',
  ),
  raw('a byte order mark before the first boundary', `\xef\xbb\xbf${FILE}--b--\r\n`, ['201', '400', '422']),
  raw('spaces behind a boundary', `${FILE.replace('--b', '--b  \t')}--b--\r\n`, ['201', '400', '422']),
  raw('bare LF everywhere', `${FILE}--b--\r\n`.replaceAll('\r\n', '\n'), ['400', '422']),
  raw('bare LF in the headers of a part', `--b\n${DISPOSITION}\n\ncontent\r\n--b--\r\n`, ['400', '422']),
  raw('bare CR in the headers of a part', `--b\r${DISPOSITION}\r\rcontent\r\n--b--\r\n`, ['400', '422']),
  raw('100,000 empty parts', '--b\r\n\r\n\r\n'.repeat(100_000), ['400', '413']),
  raw('text instead of a form', 'file=content', ['400']),
  raw('a form in UTF-16', Buffer.from(`${FILE}--b--\r\n`, 'utf16le'), ['400']),
  raw('zero bytes instead of a form', Buffer.alloc(100_000), ['400']),
  // By RFC 2046 §5.1.1 a boundary ends the part, whatever stands behind it on its line.
  raw('content that is a boundary', form(file('--b')), ['201', '400']),
  raw(
    'content with half boundaries',
    form(file('\r\n--\r\n-b\r--b\n--b\r\r\n-\r\n')),
    ['201'],
    '\r\n--\r\n-b\r--b\n--b\r\r\n-\r\n',
  ),
  raw(
    'content of 300 KB of half boundaries',
    form(file('\r\n--'.repeat(75_000))),
    ['201'],
    '\r\n--'.repeat(75_000),
  ),
  raw('a line of the file that goes on after the boundary', form(file('one\r\n--bx\r\ntwo')), ['201', '400']),
  raw('an empty file', form(file('')), ['201'], ''),
  {
    name: 'a form in chunks of a byte',
    steps: () => [post(form(file()), { length: 'chunked' })],
    expect: ['201'],
    check: holds(),
  },
]
