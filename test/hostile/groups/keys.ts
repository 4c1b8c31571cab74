import { expect } from 'vitest'
import type { Exchange, HostileCase } from '../case.ts'
import { put, request, utf8 } from '../request.ts'
import { checkKey, readBack, storedBy } from '../stored.ts'

/** No key: neither to write, nor to read, nor to delete. */
function refused(name: string, path: string, statuses: readonly string[] = ['400']): readonly HostileCase[] {
  return [
    { name: `PUT ${name}`, steps: [put(path)], expect: statuses },
    { name: `GET ${name}`, steps: [request(`GET /get_video_by_name/${path}`)], expect: statuses },
    { name: `DELETE ${name}`, steps: [request(`DELETE /videos/${path}`)], expect: statuses },
  ]
}

/** A key, as it is when its escapes are decoded. */
function taken(name: string, path: string, key: string): HostileCase {
  const check = async (exchange: Exchange) => {
    const stored = storedBy(exchange, name)
    checkKey(stored.key)
    expect(stored.key).toBe(key)
    await readBack(exchange.target, stored, name)
    expect(await exchange.target.newFiles()).not.toContain(key)
  }
  return { name: `PUT ${name}`, steps: [put(path, name)], expect: ['201'], check }
}

const ELSEWHERE = ['404', '405']

export const KEYS: readonly HostileCase[] = [
  ...refused('a broken escape', '%zz'),
  ...refused('half an escape', 'a%2'),
  ...refused('a percent sign', '%'),
  ...refused('a slash', 'a%2fb'),
  ...refused('a backslash', 'a%5cb'),
  ...refused('a NUL', 'a%00b'),
  ...refused('CR LF', 'a%0d%0aX-Injected:%201'),
  ...refused('an escape character', 'a%1bb'),
  ...refused('DEL', 'a%7f'),
  ...refused('a C1 control', 'a%c2%85'),
  ...refused('a dot', '%2e'),
  ...refused('two dots', '%2e%2e'),
  ...refused('two dots as they are', '..', ['400', '404', '405']),
  ...refused('a path upwards', '..%2f..%2fetc%2fpasswd'),
  ...refused('a path upwards with backslashes', '..%5c..%5cetc'),
  ...refused('bytes that are no UTF-8', '%ff%fe'),
  ...refused('overlong UTF-8', '%c0%ae%c0%ae%c0%af'),
  ...refused('a surrogate', '%ed%a0%80'),
  ...refused('a code point beyond Unicode', '%f4%90%80%80'),
  ...refused('an escape of the old kind', '%u002e'),
  ...refused('256 bytes', 'k'.repeat(256)),
  ...refused('256 bytes of UTF-8', `${'%e6%ad%8c'.repeat(85)}a`),
  ...refused('8,000 bytes', 'k'.repeat(8000)),
  ...refused('20,000 bytes', 'k'.repeat(20_000), ['400', '414', '431']),
  taken('decomposed letters, which name the composed ones', 'cafe%cc%81', 'caf\u00e9'),
  ...refused('nothing', '', ELSEWHERE),
  ...refused('two segments', 'a/b', ELSEWHERE),
  ...refused('a path upwards as it is', '../../etc/passwd', ELSEWHERE),
  ...refused('a space as it is', 'a b'),
  ...refused('bytes above 127 as they are', utf8('歌'), ['400', '404']),
  taken('255 bytes', 'k'.repeat(255), 'k'.repeat(255)),
  taken('85 letters of three bytes', '%e6%ad%8c'.repeat(85), '歌'.repeat(85)),
  taken('an escaped percent sign', '%252e%252e%252f', '%2e%2e%2f'),
  taken('a plus and a space', 'a+b%20c', 'a+b c'),
  taken('HTML', '%3Cscript%3Ealert(1)%3C%2Fscript%3E'.replace('%2F', ''), '<script>alert(1)<script>'),
  taken('a quote and a semicolon', '%22;%20filename=%22evil.html', '"; filename="evil.html'),
  taken('question mark and hash', 'a%3Fb%23c', 'a?b#c'),
  taken('three dots', '...', '...'),
  taken('a space at either end', '%20a%20', ' a '),
  taken('a name of Windows', 'CON', 'CON'),
  taken('a right-to-left override', 'a%e2%80%aeb', 'a\u202eb'),
  taken('emoji', '%f0%9f%98%80', '😀'),
  taken('__proto__', '__proto__', '__proto__'),
  taken('a query', 'with-query?download&x=..%2f', 'with-query'),
  taken('a parameter of the path', ':key', ':key'),
  taken('a star', '*', '*'),
]
