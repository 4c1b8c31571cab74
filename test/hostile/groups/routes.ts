import { expect } from 'vitest'
import { type HostileCase, sent } from '../case.ts'
import { bytesOf, file, form, post, put, request } from '../request.ts'

function typed(type: string): HostileCase {
  return sent(`a POST of ${JSON.stringify(type.slice(0, 40))}`, post(form(file()), { type }), ['415'])
}

export const TYPES: readonly HostileCase[] = [
  ...[
    'application/json',
    'application/x-www-form-urlencoded',
    'video/mp4',
    'text/plain',
    'application/octet-stream',
    '*/*',
    '',
    '/',
    'multipart/',
    `x/${'y'.repeat(8000)}`,
  ].map(typed),
  typed('xmultipart/form-data; boundary=b'),
  typed('text/plain; multipart/form-data; boundary=b'),
]

const EVIL = 'http://evil.example'

function from(name: string, lines: readonly string[], expect: readonly string[]): readonly HostileCase[] {
  return [
    sent(`a form ${name}`, post(form(file()), { lines }), expect),
    sent(`a PUT ${name}`, put(`from-${name.length}`, 'x', lines), expect),
    sent(
      `a DELETE ${name}`,
      request(`DELETE /videos/none-${name.length}`, lines),
      expect.map((status) => (status === '201' ? '404' : status)),
    ),
  ]
}

/** Whose page asks, and under which name. */
export const ORIGINS: readonly HostileCase[] = [
  ...from('of a foreign origin', [`Origin: ${EVIL}`], ['403']),
  ...from('of the origin null', ['Origin: null'], ['403']),
  ...from('of two origins', ['Origin: http://127.0.0.1', `Origin: ${EVIL}`], ['400', '403']),
  ...from('of our origin in another case', ['Origin: HTTP://127.0.0.1'], ['201', '403']),
  ...from('of an origin that begins like ours', ['Origin: http://127.0.0.1.evil.example'], ['403']),
  ...from('of our host by another scheme', ['Origin: https://127.0.0.1'], ['403']),
  ...from('of our host on another port', ['Origin: http://127.0.0.1:1'], ['403']),
  ...from('that is cross-site', ['Sec-Fetch-Site: cross-site'], ['403']),
  ...from('that is CROSS-SITE', ['Sec-Fetch-Site: CROSS-SITE'], ['201', '403']),
  ...from(
    'of our origin that is cross-site',
    ['Origin: http://127.0.0.1', 'Sec-Fetch-Site: cross-site'],
    ['403'],
  ),
  sent('a GET of a foreign origin', request('GET /healthz', [`Origin: ${EVIL}`]), ['200']),
  ...[
    'evil.example',
    '127.0.0.1.evil.example',
    'evil.example:80',
    '127.0.0.1@evil.example',
    '127.0.0.1 evil.example',
    '[::1',
    '0x7f.1',
    '2130706433',
    `${'a'.repeat(5000)}.localhost`,
    '127.0.0.1/../x',
    '127.0.0.1:99999999',
    '<script>.localhost',
  ].map((host) =>
    sent(`Host: ${host.slice(0, 30)}`, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`, [
      '400',
      '421',
      ...(/^a{9}|:9{8}/.test(host) ? ['200'] : []),
    ]),
  ),
  sent(
    'a form to a foreign Host',
    bytesOf(post(form(file())).toString('latin1').replace('127.0.0.1', 'evil.example')),
    ['421'],
  ),
  sent(
    'X-Forwarded-Host of a foreign host',
    post(form(file('forwarded')), {
      lines: ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: javascript'],
    }),
    ['201'],
  ),
]

/** base64 of the SHA-256 of `content`, and of nothing. */
const RIGHT = '7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M='
const WRONG = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='

function digest(name: string, lines: readonly string[], expect: readonly string[]): HostileCase {
  return sent(`digest: ${name}`, put(`digest-${encodeURIComponent(name)}`, 'content', lines), expect)
}

export const DIGESTS: readonly HostileCase[] = [
  ...['Repr-Digest', 'Content-Digest'].flatMap((field) => [
    digest(`${field}, right`, [`${field}: sha-256=:${RIGHT}:`], ['201']),
    digest(`${field}, wrong`, [`${field}: sha-256=:${WRONG}:`], ['400']),
    digest(`${field} of half a digest`, [`${field}: sha-256=:47DEQpj8HBSa:`], ['400']),
    digest(`${field} of no bytes`, [`${field}: sha-256=::`], ['400']),
    digest(`${field} without colons`, [`${field}: sha-256=${RIGHT}`], ['400']),
    digest(
      `${field} in hexadecimal`,
      [`${field}: sha-256=:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73:`],
      ['400'],
    ),
    digest(`${field} with a space in it`, [`${field}: sha-256=:47DE Qpj8:`], ['400']),
    digest(`${field} that never ends`, [`${field}: sha-256=:${WRONG}`], ['400']),
    digest(`${field} of a boolean`, [`${field}: sha-256`], ['201', '400']),
    digest(`${field} of nonsense`, [`${field}: ${'=:,;"'.repeat(1000)}`], ['201', '400']),
    digest(
      `${field} of 2,000 digests, the last wrong`,
      [`${field}: ${'a=:AA==:,'.repeat(1000)}sha-256=:${WRONG}:`],
      ['400'],
    ),
    digest(`${field} of no known algorithm`, [`${field}: md5=:AA==:, x=:AA==:`], ['201']),
    digest(
      `${field} twice, the last wrong`,
      [`${field}: sha-256=:${RIGHT}:`, `${field}: sha-256=:${WRONG}:`],
      ['400'],
    ),
    digest(`${field} in other letters`, [`${field}: SHA-256=:${WRONG}:`], ['201', '400']),
  ]),
  digest(
    'both, of which one is wrong',
    [`Repr-Digest: sha-256=:${RIGHT}:`, `Content-Digest: sha-256=:${WRONG}:`],
    ['400'],
  ),
  digest('Digest of the old kind', [`Digest: SHA-256=${WRONG}`], ['201', '400']),
  digest('Want-Repr-Digest of nonsense', [`Want-Repr-Digest: ${'sha-256=99,'.repeat(500)}=`], ['201', '400']),
]

function conditional(name: string, lines: readonly string[], expect: readonly string[]): HostileCase {
  return sent(`condition: ${name}`, put('condition', 'content', lines), expect)
}

export const CONDITIONS: readonly HostileCase[] = [
  conditional('If-Match of what is not there', ['If-Match: "x"'], ['412']),
  conditional('none', [], ['201']),
  conditional('If-None-Match: *', ['If-None-Match: *'], ['412']),
  conditional('If-Match of nonsense', ['If-Match: nonsense'], ['400', '412']),
  conditional('If-Match of an open quote', ['If-Match: "x'], ['400', '412']),
  conditional('If-Match of 2,000 tags', [`If-Match: ${'"x",'.repeat(2000)}"y"`], ['400', '412']),
  conditional('If-Match with * among tags', ['If-Match: "x", *'], ['200', '400', '412']),
  conditional('If-Unmodified-Since of no date', ['If-Unmodified-Since: yesterday'], ['200', '400']),
  conditional(
    'If-Unmodified-Since of the year 275761',
    ['If-Unmodified-Since: Sun, 06 Nov 275761 08:49:37 GMT'],
    ['200', '400', '412'],
  ),
  conditional('Content-Range', ['Content-Range: bytes 0-6/7'], ['400']),
  conditional('Content-Range of nonsense', ['Content-Range: x'], ['400']),
]

/** What a browser accepts. */
const BROWSER = ['Accept: text/html']

/** One is a nuisance, and as many as this the end where a query takes time with the square of its names. */
function heavy(where: string, path: string, lines: readonly string[] = []): HostileCase {
  const query = 'a&'.repeat(7900)
  return {
    name: `50 queries of 7,900 equal names ${where}`,
    steps: () => [bytesOf(...Array(50).fill(request(`GET ${path}?${query}`, lines)))],
    expect: [Array(50).fill('200').join(' ')],
  }
}

export const QUERIES: readonly HostileCase[] = [
  heavy('of the list', '/videos'),
  sent('an object to be queried', put('queried', 'GIF89a'), ['201']),
  heavy('of an object', '/get_video_by_name/queried'),
  heavy('of the page', '/', BROWSER),
  ...['limit=-1', 'limit=0', 'limit=x', 'limit=1e3', 'limit=1.5', 'limit=', 'limit=%00'].map((query) =>
    sent(`?${query}`, request(`GET /videos?${query}`), ['400']),
  ),
  ...[
    'limit=99999999999999999999',
    'limit=1&limit=2',
    'cursor=%00',
    'cursor=%ff',
    'cursor=__proto__',
    'cursor=%F0%9F%98%80',
    'prefix=%ff',
    'prefix=../',
    `prefix=${'p'.repeat(8000)}`,
    '__proto__=x&constructor=y',
    `${'a&'.repeat(4000)}`,
    '%',
    '%zz=%',
  ].map((query) => sent(`?${query.slice(0, 30)}`, request(`GET /videos?${query}`), ['200', '400'])),
]

const unescaped = '<script>alert(1)</script>'

/** Pages say what they were asked with, and nothing of it is markup. */
export const PAGES: readonly HostileCase[] = [
  ['GET /?play=%3Cscript%3Ealert(1)%3C/script%3E', ['200']],
  ['GET /videos/%3Cscript%3Ealert(1)%3C%2fscript%3E', ['400']],
  ['GET /videos/%3Cscript%3Ealert(1)', ['404']],
  ['GET /%3Cscript%3Ealert(1)%3C%2fscript%3E', ['404']],
  ['GET /videos?limit=%3Cscript%3Ealert(1)%3C/script%3E', ['400']],
  ['DELETE /videos/%22onload=alert(1)%3E%3Cscript%3Ealert(1)', ['404']],
].map(
  ([start, expected]): HostileCase => ({
    name: `a page for ${start}`,
    steps: [request(String(start), BROWSER)],
    expect: [...(expected ?? [])],
    after: ({ answer }) => {
      expect(answer.content.toString()).not.toMatch(/<script>alert|"onload=/)
      expect(answer.content.toString()).not.toContain(unescaped)
    },
  }),
)
