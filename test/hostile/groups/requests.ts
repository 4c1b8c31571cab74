import { type HostileCase, sent } from '../case.ts'
import { bytesOf, put, request } from '../request.ts'

const HTTP = ' HTTP/1.1\r\nHost: 127.0.0.1\r\n'

/** Requests that are no HTTP/1.1, or hardly. */
export const SYNTAX: readonly HostileCase[] = [
  sent('nonsense', 'nonsense\r\n\r\n', ['400']),
  sent('zeros', bytesOf(Buffer.alloc(1000)), ['400']),
  sent('a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), ['400']),
  sent('an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ['400', '505']),
  sent('an SSH hello', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', ['400']),
  sent('HTTP/0.9', 'GET /healthz\r\n\r\n', ['400', '505']),
  sent('HTTP/1.2', 'GET /healthz HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n', ['200', '400', '505']),
  sent('HTTP/9.9', 'GET /healthz HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n', ['400', '505']),
  sent('a method in small letters', `get /healthz${HTTP}\r\n`, ['400', '501']),
  sent('a method of no name', `GETS /healthz${HTTP}\r\n`, ['400', '501']),
  sent('empty lines in front', `\r\n\r\n\r\nGET /healthz${HTTP}\r\n`, ['200']),
  sent('two spaces', `GET  /healthz${HTTP}\r\n`, ['200', '400']),
  sent('a tab for a space', `GET\t/healthz${HTTP}\r\n`, ['400']),
  sent('bare LF', 'GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n', ['200', '400']),
  sent('bare CR', 'GET /healthz HTTP/1.1\rHost: 127.0.0.1\r\r', ['400']),
  sent('a folded header', `GET /healthz${HTTP}X: a\r\n b\r\n\r\n`, ['200', '400']),
  sent('a header without a colon', `GET /healthz${HTTP}no colon\r\n\r\n`, ['400']),
  sent('a header without a name', `GET /healthz${HTTP}: x\r\n\r\n`, ['400']),
  sent('a space before a colon', `GET /healthz${HTTP}X : y\r\n\r\n`, ['400']),
  sent('a NUL in a header', `GET /healthz${HTTP}X: a\0b\r\n\r\n`, ['400']),
  sent('a control character in a header', `GET /healthz${HTTP}X: a\x01b\r\n\r\n`, ['200', '400']),
  sent('a header of 20 KB', `GET /healthz${HTTP}X: ${'x'.repeat(20_000)}\r\n\r\n`, ['431']),
  sent('a header of 1 MB', `GET /healthz${HTTP}X: ${'x'.repeat(1_000_000)}\r\n\r\n`, ['431']),
  sent('3,000 headers', `GET /healthz${HTTP}${'X: y\r\n'.repeat(3000)}\r\n`, ['200', '400', '431']),
  sent('2,000 headers of little', `GET /healthz${HTTP}${'X:\r\n'.repeat(2000)}\r\n`, ['200', '400', '431']),
  sent('a target of 20 KB', `GET /${'x'.repeat(20_000)}${HTTP}\r\n`, ['414', '431']),
  sent('a NUL in the target', `GET /\0${HTTP}\r\n`, ['400']),
  sent('no target', 'GET HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', ['400']),
  sent('no Host', 'GET /healthz HTTP/1.1\r\n\r\n', ['400']),
  sent('two of Host', `GET /healthz${HTTP}Host: evil.example\r\n\r\n`, ['400', '421']),
  sent(
    'two of Host, the foreign first',
    'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\n\r\n',
    ['400', '421'],
  ),
  sent('an empty Host', 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n', ['200', '400', '421']),
  sent('__proto__ as a header', `GET /healthz${HTTP}__proto__: x\r\nconstructor: y\r\n\r\n`, ['200']),
]

/** Targets of other forms, and paths that want to be somewhere else. */
export const TARGETS: readonly HostileCase[] = [
  sent('an absolute target', request('GET http://127.0.0.1/healthz'), ['200']),
  // RFC 9112 §3.2.2: the target's authority counts, not Host.
  sent('an absolute target of a foreign host', request('GET http://evil.example/healthz'), ['421']),
  sent('an absolute target without a path', request('GET http://127.0.0.1'), ['200']),
  sent('an absolute target of nothing', request('GET http://'), ['400', '421']),
  sent('an absolute target of another scheme', request('GET ftp://127.0.0.1/healthz'), [
    '200',
    '400',
    '404',
    '421',
  ]),
  sent('an absolute target of a script', request('GET javascript:alert(1)'), ['400', '404']),
  sent('a target of two slashes', request('GET //evil.example/healthz'), ['400', '404']),
  sent('a target of 5,000 slashes', request(`GET ${'/'.repeat(5000)}`), ['400', '404']),
  sent('a target of a star', request('GET *'), ['400', '404']),
  sent('OPTIONS *', request('OPTIONS *'), ['200', '204', '400', '404']),
  sent('a target with a fragment', request('GET /healthz#x'), ['200', '400']),
  sent('a target of backslashes', request('GET \\healthz'), ['400', '404']),
  sent('a path upwards', request('GET /../../../../etc/passwd'), ['400', '404']),
  sent('a path out of the static files', request('GET /assets/../../../package.json'), ['400', '404']),
  sent('an escaped path out of the static files', request('GET /assets/..%2f..%2fpackage.json'), [
    '400',
    '404',
  ]),
  sent('a path out of the static files, escaped twice', request('GET /assets/%252e%252e%252fpackage.json'), [
    '400',
    '404',
  ]),
  sent('a path out of the static files with backslashes', request('GET /assets/..%5c..%5cpackage.json'), [
    '400',
    '404',
  ]),
  sent('a NUL in the path of a static file', request('GET /assets/video/sample.mp4%00.txt'), ['400', '404']),
  sent('a static file of 5,000 bytes of name', request(`GET /assets/${'x'.repeat(5000)}`), ['400', '404']),
  sent('a POST to a static file', request('POST /assets/video/sample.mp4', ['Content-Length: 1'], 'x'), [
    '405',
  ]),
  sent('/__proto__', request('GET /__proto__'), ['404']),
  sent('/constructor', request('GET /constructor'), ['404']),
]

const BODY = ['Content-Length: 5']

/** A body that nobody asked for is not read to its end: the answer is the last on its connection. */
function endless(method: string, start: string, expect: readonly string[]): HostileCase {
  const steps = () => [request(start, [`Content-Length: ${2 ** 40}`]), { pause: 100 }, Buffer.alloc(2 ** 24)]
  return { name: `${method} with a body of 1 TB`, steps, expect }
}

/** Methods that a route has not, and bodies where none belongs. */
export const METHODS: readonly HostileCase[] = [
  sent('GET with a body', request('GET /healthz', BODY, 'hello'), ['200', '400']),
  sent(
    'GET with a body in chunks',
    request('GET /healthz', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
    ['200', '400'],
  ),
  endless('GET', 'GET /healthz', ['200', '400', '413']),
  sent('an object to be deleted', put('endless', 'x'), ['201']),
  endless('DELETE', 'DELETE /videos/endless', ['204', '400', '413']),
  sent('HEAD with a body', request('HEAD /healthz', BODY, 'hello'), ['200', '400'], true),
  sent('HEAD of nothing', request('HEAD /videos/none'), ['404'], true),
  sent('HEAD of no key', request('HEAD /videos/%00'), ['400'], true),
  sent('DELETE with a body', request('DELETE /videos/none', BODY, 'hello'), ['400', '404']),
  sent('OPTIONS with a body', request('OPTIONS /video', BODY, 'hello'), ['200', '204', '400', '403']),
  sent('PATCH', request('PATCH /videos/a', BODY, 'hello'), ['404', '405']),
  sent('POST to an object', request('POST /videos/a', BODY, 'hello'), ['405']),
  sent('PUT to the form', request('PUT /video', BODY, 'hello'), ['404', '405']),
  sent('DELETE of everything', request('DELETE /videos'), ['404', '405']),
  sent('DELETE of the root', request('DELETE /'), ['404', '405']),
  // RFC 9110 §9.1: 405 for a method that is known and not allowed, 501 for one that is not known.
  sent('TRACE', request('TRACE /healthz'), ['405', '501']),
  sent('TRACE with a secret', request('TRACE /', ['Authorization: Bearer SECRET']), ['405', '501']),
  sent('PROPFIND', request('PROPFIND /'), ['404', '405', '501']),
  sent('PURGE', request('PURGE /videos/a'), ['404', '405', '501']),
  sent('LOCK', request('LOCK /videos/a'), ['404', '405', '501']),
  sent('CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', [
    'none',
    '400',
    '404',
    '405',
    '421',
    '501',
  ]),
  sent(
    'an upgrade to WebSocket',
    request('GET /healthz', [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]),
    ['200', '400', '426'],
  ),
  sent(
    'an upgrade to HTTP/2',
    request('GET /healthz', [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]),
    ['200', '400', '426'],
  ),
  sent('an upgrade on an upload', put('upgrade', 'hello', ['Connection: Upgrade', 'Upgrade: websocket']), [
    '201',
    '400',
    '426',
  ]),
]
