import type { HostileCase } from '../case.ts'
import { file, form, part, post } from '../request.ts'
import { holds } from '../stored.ts'
import { DISPOSITION } from './boundaries.ts'

function header(name: string, lines: string, expect: readonly string[], content?: string): HostileCase {
  const steps = [post(`--b\r\n${lines}\r\n\r\ncontent\r\n--b--\r\n`)]
  return { name, steps, expect, ...(content === undefined ? {} : { check: holds(content) }) }
}

/** The header lines of one part. */
export const PART_HEADERS: readonly HostileCase[] = [
  header('a NUL in the value of a header', 'Content-Disposition: form-data; name="file"; filename="a\0b"', [
    '400',
  ]),
  header('a NUL in the name of a header', `${DISPOSITION}\r\nX\0Y: z`, ['400']),
  header('a header without a colon', `${DISPOSITION}\r\nno colon`, ['400']),
  header('a header without a name', `${DISPOSITION}\r\n: value`, ['400']),
  header('a space before the colon', DISPOSITION.replace(':', ' :'), ['400', '422']),
  header('a header of 100 KB', `${DISPOSITION}\r\nX: ${'x'.repeat(100_000)}`, ['400', '413']),
  header('a header name of 100 KB', `${'x'.repeat(100_000)}: x\r\n${DISPOSITION}`, ['400', '413']),
  header('10,000 headers', `${DISPOSITION}${'\r\nX: y'.repeat(10_000)}`, ['400', '413']),
  header('100 headers before the one that counts', `${'X: y\r\n'.repeat(100)}${DISPOSITION}`, [
    '201',
    '400',
    '413',
  ]),
  header('a folded header', DISPOSITION.replace('; filename', ';\r\n filename'), ['201', '400'], 'content'),
  header(
    'a header in capitals',
    DISPOSITION.toUpperCase().replace('NAME="FILE"', 'NAME="file"'),
    ['201'],
    'content',
  ),
  header('no headers', '', ['400', '422']),
  header('no Content-Disposition', 'Content-Type: video/mp4', ['400', '422']),
  header('an empty Content-Disposition', 'Content-Disposition:', ['400', '422']),
  header('Content-Disposition: attachment', DISPOSITION.replace('form-data', 'attachment'), ['400', '422']),
  header('Content-Disposition without parameters', 'Content-Disposition: form-data', ['400', '422']),
  header('two of Content-Disposition', `${DISPOSITION}\r\n${DISPOSITION.replace('"file"', '"other"')}`, [
    '201',
    '400',
    '422',
  ]),
  header('Content-Length in a part', `${DISPOSITION}\r\nContent-Length: 1000000`, ['201'], 'content'),
  header('Transfer-Encoding in a part', `${DISPOSITION}\r\nTransfer-Encoding: chunked`, ['201'], 'content'),
  // RFC 7578 §4.7: deprecated, and nobody decodes it.
  ...['base64', 'quoted-printable', 'binary', 'x-unknown'].map((coding) =>
    header(
      `Content-Transfer-Encoding: ${coding}`,
      `${DISPOSITION}\r\nContent-Transfer-Encoding: ${coding}`,
      ['201'],
      'content',
    ),
  ),
  header('Content-Type of nonsense', `${DISPOSITION}\r\nContent-Type: ///;;;="`, ['201'], 'content'),
  header(
    'multipart inside a file',
    `${DISPOSITION}\r\nContent-Type: multipart/mixed; boundary=c`,
    ['201'],
    'content',
  ),
  header(
    'multipart inside a field',
    'Content-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=c',
    ['400', '422'],
  ),
  ...['klingon', 'utf-7', 'utf-16le', '__proto__', ''].map(
    (charset): HostileCase => ({
      name: `a field in charset ${JSON.stringify(charset)}`,
      steps: [post(form(part('name="a"', 'x', `Content-Type: text/plain; charset=${charset}`), file()))],
      expect: ['201', '400'],
      check: holds(),
    }),
  ),
]

function disposition(name: string, parameters: string, expect: readonly string[]): HostileCase {
  return { name, steps: [post(form(part(parameters, 'content')))], expect, check: holds() }
}

/** What Content-Disposition says of the file. */
export const PARAMETERS: readonly HostileCase[] = [
  disposition('a file without a name for its field', 'filename="a"', ['400', '422']),
  disposition('a file with an empty name for its field', 'name=""; filename="a"', ['400', '422']),
  disposition('names without quotes', 'name=file; filename=a.mp4', ['201']),
  disposition('names in single quotes', "name='file'; filename='a'", ['400', '422']),
  disposition('an open quote', 'name="file"; filename="a', ['400', '422']),
  disposition('a name with an escaped quote', 'name="file"; filename="a\\"b.mp4"', ['201']),
  disposition('filename and filename*', 'name="file"; filename="a"; filename*=UTF-8\'\'b%20%E6%AD%8C.mp4', [
    '201',
  ]),
  disposition('filename* in no charset', 'name="file"; filename*=klingon\'\'a', ['201', '400', '422']),
  disposition('filename* with broken escapes', 'name="file"; filename*=UTF-8\'\'%zz%', ['201', '400', '422']),
  disposition('filename* with bytes that are no UTF-8', 'name="file"; filename*=UTF-8\'\'%ff%fe%c0%af', [
    '201',
    '400',
    '422',
  ]),
  disposition('filename* in pieces', 'name="file"; filename*0="a"; filename*1="b"', ['201', '400', '422']),
  disposition('filename* with path and NUL', 'name="file"; filename*=UTF-8\'\'%2e%2e%2f%00%0d%0a', [
    '201',
    '400',
    '422',
  ]),
  disposition('two names of the field', 'name="other"; name="file"; filename="a"', ['201', '400', '422']),
  disposition('two file names', 'name="file"; filename="a"; filename="../b"', ['201', '400', '422']),
  disposition('1,000 parameters', `name="file"; filename="a"${'; x=y'.repeat(1000)}`, ['201', '400', '422']),
  disposition('an empty file name', 'name="file"; filename=""', ['422']),
  disposition('no file name', 'name="file"', ['422']),
  disposition('a file in another field', 'name="other"; filename="a"', ['422']),
  disposition('a file in file[]', 'name="file[]"; filename="a"', ['400', '422']),
  disposition('a file in __proto__', 'name="__proto__"; filename="a"', ['400', '422']),
]
