import { expect } from 'vitest'
import { exchange } from '../../support/raw.ts'
import type { HostileCase } from '../case.ts'
import { chunked, request } from '../request.ts'
import { checkKey, readBack } from '../stored.ts'
import type { Target } from '../target.ts'
import { notStored } from './leaving.ts'

const VERSION = 'Tus-Resumable: 1.0.0'
const CONTENT = 'Content-Type: application/offset+octet-stream'
const UNKNOWN = '/files/aaaaaaaaaaaaaaaaaaaaaa'

function base64(text: string, encoding: BufferEncoding = 'utf8'): string {
  return Buffer.from(text, encoding).toString('base64')
}

function named(name: string, encoding?: BufferEncoding): string {
  return `Upload-Metadata: filename ${base64(name, encoding)}`
}

/** A creation with its content; what comes of it is removed again. */
function creation(
  name: string,
  lines: readonly string[],
  expected: readonly string[],
  body = 'hello',
): HostileCase {
  const all = [VERSION, CONTENT, `Content-Length: ${body.length}`, ...lines]
  return {
    name: `a creation ${name}`,
    steps: [request('POST /files', all, body)],
    expect: expected,
    after: async ({ target, answer }) => {
      const path = answer.fields.get('location')
      if (path === undefined) return
      expect(path).toMatch(/^\/files\/[\w-]{22}$/)
      const place = answer.fields.get('content-location') ?? ''
      const key = decodeURIComponent(place.slice('/get_video_by_name/'.length))
      checkKey(key)
      await readBack(target, { key, video_url: new URL(place, target.url).href, type: '' }, body)
      await removed(target, path)
    },
  }
}

/** Removes an upload, or what is known of a complete one. */
async function removed(target: Target, path: string): Promise<void> {
  const head = ['Host: 127.0.0.1', VERSION, 'Connection: close', '', ''].join('\r\n')
  expect(await exchange(target.url, `DELETE ${path} HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1\.1 204 /)
}

function asked(start: string, lines: readonly string[], expected: readonly string[]): HostileCase {
  const steps = [request(start, lines)]
  return { name: `${start.slice(0, 60)} with ${lines.join(', ') || 'nothing else'}`, steps, expect: expected }
}

const LENGTHS: readonly HostileCase[] = [
  ...['-1', '1e3', '0x10', ' ', '5, 5', '05', '+5', '5.0', 'Infinity', 'NaN', '9'.repeat(400)].map((length) =>
    creation(`of ${length.slice(0, 20)} bytes`, [`Upload-Length: ${length}`], ['400']),
  ),
  creation('of no length', [], ['400']),
  creation('of two lengths', ['Upload-Length: 5', 'Upload-Length: 6'], ['400']),
  creation('of a length and none', ['Upload-Length: 5', 'Upload-Defer-Length: 1'], ['400']),
  creation('of a length that is put off to 2', ['Upload-Defer-Length: 2'], ['400']),
  creation('of 9007199254740991 bytes', ['Upload-Length: 9007199254740991'], ['413']),
  creation('of fewer bytes than it brings', ['Upload-Length: 4'], ['413']),
  {
    name: 'a creation of fewer bytes than it brings in chunks',
    steps: [
      request(
        'POST /files',
        [VERSION, CONTENT, 'Upload-Length: 4', 'Transfer-Encoding: chunked'],
        chunked('hello', 2),
      ),
    ],
    expect: ['413'],
  },
  {
    name: 'a creation that is cut off',
    steps: [
      request(
        'POST /files',
        [VERSION, CONTENT, named('cut'), 'Upload-Length: 9', 'Content-Length: 9'],
        'hello',
      ),
      { pause: 60 },
      { leave: 'reset' },
    ],
    expect: ['none'],
    after: notStored('cut'),
  },
]

const LENGTH = 'Upload-Length: 5'

const METADATA: readonly HostileCase[] = [
  ...[
    ['that climbs', '../../../etc/passwd'],
    ['of Windows', '..\\..\\con.mp4'],
    ['of line breaks', 'a\r\nSet-Cookie: b=c.mp4'],
    ['of nothing', ''],
    ['of dots', '..'],
    ['that turns around', 'gpj.\u202eexe'],
    ['of 4,000 letters', 'a'.repeat(4000)],
  ].map(([name = '', file = '']) => creation(`of a name ${name}`, [LENGTH, named(file)], ['201'])),
  creation('of a name that is no UTF-8', [LENGTH, named('ff80fe', 'hex')], ['201']),
  creation('of a name of 9,000 letters', [LENGTH, named('a'.repeat(9000))], ['431']),
  creation(
    'of a type of line breaks',
    [LENGTH, `Upload-Metadata: filetype ${base64('a/b\r\nc: d')}`],
    ['201'],
  ),
  creation('of a name without a letter', [LENGTH, 'Upload-Metadata: ='], ['201']),
  creation('of a name without a value', [LENGTH, 'Upload-Metadata: filename'], ['201']),
  ...['a !', 'a b c', ',', 'a YQ==,a YQ==', 'a YQ'].map((field) =>
    creation(`of metadata ${field}`, [LENGTH, `Upload-Metadata: ${field}`], ['400']),
  ),
  ...['__proto__ YQ==', 'constructor YQ==', ' '].map((field) =>
    creation(`of metadata ${field}`, [LENGTH, `Upload-Metadata: ${field}`], ['201']),
  ),
  creation('of metadata that are empty', [LENGTH, 'Upload-Metadata:'], ['201', '400']),
  {
    ...creation('of a part', [LENGTH, 'Upload-Concat: partial'], ['201']),
    after: async ({ target, answer }) => removed(target, answer.fields.get('location') ?? ''),
  },
  creation('of a final upload with content', [`Upload-Concat: final;${UNKNOWN}`], ['400']),
  ...['final', 'final;', 'FINAL;/files/a', 'partial;a', `final;${'/files/a '.repeat(900)}`].map((field) =>
    asked('POST /files', [VERSION, `Upload-Concat: ${field}`], ['400']),
  ),
  ...['/files/a /files/b', '//[', 'http://', `${UNKNOWN}/..`, '/files/%00'].map((urls) =>
    asked('POST /files', [VERSION, `Upload-Concat: final;${urls}`], ['400']),
  ),
  asked('POST /files', [VERSION, `Upload-Concat: final;${UNKNOWN}`], ['404']),
]

const CHECKSUMS: readonly HostileCase[] = [
  ...['', 'sha1', 'sha1 ', 'crc32 AAAA', '__proto__ AAAA', 'sha1  a', `sha1 ${'A'.repeat(8000)}`].map(
    (field) => creation(`of checksum ${field.slice(0, 20)}`, [LENGTH, `Upload-Checksum: ${field}`], ['400']),
  ),
  creation('of a wrong checksum', [LENGTH, `Upload-Checksum: md5 ${base64('0'.repeat(16))}`], ['460']),
]

const PLACES: readonly HostileCase[] = [
  ...['/files/', '/files?a=b'].map((path) => asked(`POST ${path}`, [VERSION], ['400'])),
  ...['/files/..%2f..%2fetc', '/files/%00', '/files/.', UNKNOWN, `/files/${'a'.repeat(5000)}`].flatMap(
    (path) => [
      asked(`DELETE ${path}`, [VERSION], ['404', '405']),
      asked(`PATCH ${path}`, [VERSION, CONTENT, 'Upload-Offset: 0'], ['404', '405']),
      asked(`GET ${path}`, [], ['404', '405']),
    ],
  ),
  asked(`POST ${UNKNOWN}`, [VERSION, 'X-HTTP-Method-Override: DELETE'], ['404']),
  asked(`OPTIONS ${UNKNOWN}`, [VERSION, 'X-HTTP-Method-Override: DELETE'], ['404']),
  asked(`OPTIONS ${UNKNOWN}`, [VERSION, 'X-HTTP-Method-Override: PUT'], ['405']),
  asked(`GET ${UNKNOWN}`, [VERSION, 'X-HTTP-Method-Override: PATCH, DELETE'], ['501']),
  asked(`POST ${UNKNOWN}`, [VERSION, `X-HTTP-Method-Override: ${'A'.repeat(8000)}`], ['501']),
  asked(`PUT ${UNKNOWN}`, [VERSION], ['405']),
  asked('GET /files', [], ['405']),
  asked(`PATCH ${UNKNOWN}`, [VERSION, CONTENT], ['400']),
  asked(`PATCH ${UNKNOWN}`, [VERSION, 'Upload-Offset: 0'], ['415']),
  asked(`PATCH ${UNKNOWN}`, [VERSION, 'Content-Type: text/html', 'Upload-Offset: 0'], ['415']),
  asked(`PATCH ${UNKNOWN}`, [VERSION, CONTENT, 'Upload-Offset: -1'], ['400']),
  ...['', '2.0.0', '1.0.0, 1.0.0'].map((version) =>
    asked(`DELETE ${UNKNOWN}`, [`Tus-Resumable: ${version}`], ['412']),
  ),
  asked('OPTIONS /files', [], ['204']),
  asked(`DELETE ${UNKNOWN}`, [VERSION, 'Origin: http://evil.example'], ['403']),
]

export const TUS: readonly HostileCase[] = [...LENGTHS, ...METADATA, ...CHECKSUMS, ...PLACES]
