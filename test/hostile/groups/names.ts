import { expect } from 'vitest'
import type { Exchange, HostileCase } from '../case.ts'
import { file, form, part, post, utf8 } from '../request.ts'
import { checkKey, readBack, storedBy } from '../stored.ts'

/** The name is gone from where it could do harm: a key in JSON and header, and nowhere on the disk. */
function kept(name: string, key: string | undefined) {
  return async (exchange: Exchange) => {
    const { target, answer } = exchange
    const stored = storedBy(exchange, name)
    checkKey(stored.key)
    if (key !== undefined) expect(stored.key).toBe(key)
    expect(answer.fields.get('location')).toMatch(/^\/get_video_by_name\/[\w!'()*.~%-]+$/)
    await readBack(target, stored, name)
    const files = await target.newFiles()
    expect(files).not.toContain(stored.key)
    expect(files).not.toContain(name)
  }
}

/** @param raw as in the quotes of `filename` */
function named(name: string, raw: string, expect: readonly string[], key?: string): HostileCase {
  return { name, steps: [post(form(file(name, raw)))], expect, check: kept(name, key) }
}

/** @param encoded of `filename*` */
function starred(name: string, encoded: string, expect: readonly string[], key?: string): HostileCase {
  const disposition = `name="file"; filename*=UTF-8''${encoded}`
  return { name, steps: [post(form(part(disposition, name)))], expect, check: kept(name, key) }
}

const TAKEN = ['201']
const EITHER = ['201', '400', '422']

const PATHS: readonly HostileCase[] = [
  named('a path upwards', '../../../../../../../../tmp/evil-up.mp4', TAKEN, 'evil-up.mp4'),
  named('a path upwards with backslashes', '..\\\\..\\\\evil-back.mp4', TAKEN, 'evil-back.mp4'),
  named(
    'a path upwards, escaped in the name',
    '..%2f..%2fevil-escaped.mp4',
    TAKEN,
    '..%2f..%2fevil-escaped.mp4',
  ),
  named('a path upwards in other slashes', utf8('..∕..／evil-slash.mp4'), TAKEN),
  named('an absolute path', '/etc/passwd', TAKEN, 'passwd'),
  named('an absolute path of the store', '/data/FORMAT', TAKEN, 'FORMAT'),
  named('a path that ends in a slash', 'directory/', EITHER),
  named('a drive letter', 'C:\\\\Windows\\\\evil-drive.mp4', TAKEN, 'evil-drive.mp4'),
  named('a drive letter without a slash', 'C:evil-drive-2.mp4', TAKEN, 'C:evil-drive-2.mp4'),
  named('a UNC path', '\\\\\\\\server\\\\share\\\\evil-unc.mp4', TAKEN, 'evil-unc.mp4'),
  named('a stream of NTFS', 'a.mp4::$DATA', TAKEN),
  named('one dot', '.', EITHER),
  named('two dots', '..', ['201', '422']),
  named('three dots', '...', EITHER),
  named('dots and slashes', '..././...//', EITHER),
  named('two dots and spaces', '.. ', EITHER),
  named('only spaces', '   ', EITHER),
  starred('two dots by filename*', '%2e%2e', EITHER),
  starred('a path by filename*', '%2e%2e%2f%2e%2e%2fevil-star.mp4', TAKEN, 'evil-star.mp4'),
  starred('a slash of overlong UTF-8 by filename*', '..%c0%af..%c0%afevil-overlong.mp4', EITHER),
  named('a home directory', '~/.ssh/authorized_keys', TAKEN, 'authorized_keys'),
  named('a hidden file', '.htaccess', TAKEN),
]

const CONTROLS: readonly HostileCase[] = [
  named('a NUL', 'a\0.mp4', ['400']),
  starred('a NUL by filename*', 'nul%00-star.mp4', TAKEN, 'nul-star.mp4'),
  named('CR LF as they are', 'a\r\nX-Injected: 1\r\n\r\n.mp4', ['400', '422', '201']),
  named(
    'CR LF and a quote as browsers escape them',
    'crlf%0D%0AX-Injected: 1%22.mp4',
    TAKEN,
    'crlfX-Injected: 1".mp4',
  ),
  starred('CR LF by filename*', 'star%0d%0aX-Injected%3a%201%0d%0a%0d%0a%3chtml%3e', TAKEN),
  named('a line of a log', 'a%0A{%22level%22:60,%22msg%22:%22forged%22}%0A', TAKEN),
  named('a bell, an escape and a backspace', 'a\x07\x1b[31m\x08.mp4', ['400']),
  starred('an escape by filename*', 'red%1b%5b31m.mp4', TAKEN, 'red[31m.mp4'),
  starred('C1 controls', 'c1%c2%85%c2%9b.mp4', TAKEN, 'c1.mp4'),
  named('DEL', 'a\x7f.mp4', ['400']),
  named('a tab', 'tab\there.mp4', TAKEN, 'tabhere.mp4'),
  starred('separators of lines and paragraphs', 'lines%e2%80%a8%e2%80%a9.mp4', TAKEN),
]

const SCRIPTS: readonly HostileCase[] = [
  named('Cyrillic and Chinese', utf8('видео 歌.mp4'), TAKEN, 'видео 歌.mp4'),
  named('an emoji with a skin and a family', utf8('👍🏽👨‍👩‍👧.mp4'), TAKEN, '👍🏽👨‍👩‍👧.mp4'),
  named('right to left', utf8('שלום עולם.mp4'), TAKEN, 'שלום עולם.mp4'),
  named('a right-to-left override', utf8('gpj\u202e4pm.exe'), TAKEN, 'gpj4pm.exe'),
  named(
    'every bidirectional control',
    utf8('bidi\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069.mp4'),
    TAKEN,
    'bidi.mp4',
  ),
  named('composed letters', utf8('caf\u00e9-twin.mp4'), TAKEN, 'caf\u00e9-twin.mp4'),
  // Its content is another: the same key twice gets a number.
  named('the same letters decomposed', utf8('cafe\u0301-twin.mp4'), TAKEN, 'caf\u00e9-twin-2.mp4'),
  named('a letter with 1,000 accents', utf8(`z${'\u0301'.repeat(1000)}.mp4`), TAKEN),
  named('zero width', utf8('zero\u200b\u200c\u200d\ufeff\u2060.mp4'), TAKEN),
  named('bytes of Latin-1', 'caf\xe9-latin.mp4', EITHER),
  named('bytes that are no UTF-8', '\xff\xfe\xfd\x80.mp4', EITHER),
  named('overlong UTF-8', 'a\xc0\xae\xc0\xae\xc0\xafb.mp4', EITHER),
  named('a surrogate in UTF-8', 'a\xed\xa0\x80b.mp4', EITHER),
  named('CESU-8', 'a\xed\xa0\xbd\xed\xb8\x80b.mp4', EITHER),
  named('a code point beyond Unicode', 'a\xf4\x90\x80\x80b.mp4', EITHER),
  named('private use and noncharacters', utf8('a\ue000\ufffe\uffffb.mp4'), TAKEN),
  named('half a character at the end', 'a.mp4\xe6\xad', EITHER),
]

const LENGTHS: readonly HostileCase[] = [
  named('255 bytes', `${'n'.repeat(251)}.mp4`, TAKEN, `${'n'.repeat(251)}.mp4`),
  named('256 bytes', `${'m'.repeat(252)}.mp4`, TAKEN, `${'m'.repeat(251)}.mp4`),
  named('255 bytes of UTF-8', utf8(`a${'歌'.repeat(83)}.mp4${'b'}`), TAKEN, `a${'歌'.repeat(83)}.mp4b`),
  named(
    '256 bytes of UTF-8, cut inside a letter',
    utf8(`${'歌'.repeat(84)}.mp4`),
    TAKEN,
    `${'歌'.repeat(83)}.mp4`,
  ),
  named('256 bytes of emoji', utf8(`${'😀'.repeat(63)}.mp4`), TAKEN, `${'😀'.repeat(62)}.mp4`),
  named('8,000 characters', `${'l'.repeat(8000)}.mp4`, TAKEN, `${'l'.repeat(251)}.mp4`),
  named('8,000 spaces and a letter', `${' '.repeat(8000)}s.mp4`, TAKEN, 's.mp4'),
  named('8,000 dots', '.'.repeat(8000), EITHER),
  named('8,000 characters of extension', `e.${'x'.repeat(8000)}`, TAKEN),
  named('20,000 characters', 'h'.repeat(20_000), ['400', '413']),
  starred('8,000 escapes by filename*', '%e6%ad%8c'.repeat(800), TAKEN),
]

const RESERVED: readonly HostileCase[] = [
  ...['CON', 'nul.mp4', 'COM1.mp4', 'lpt9', 'aux.tar.gz', 'PRN .mp4'].map((name) =>
    named(`Windows' ${name}`, name, TAKEN),
  ),
  named('trailing dots', 'trailing.mp4...', TAKEN, 'trailing.mp4'),
  named('trailing spaces', 'trailing-spaces.mp4   ', TAKEN, 'trailing-spaces.mp4'),
  named('an asterisk, question mark, pipe and angles', 'a*b?c|d<e>f.mp4', TAKEN),
  named('HTML', '<img src=x onerror=alert(1)>.mp4', TAKEN, '<img src=x onerror=alert(1)>.mp4'),
  named('HTML that closes a script', "</script><script>alert(1)</script>'.mp4", TAKEN),
  named('a quote and a semicolon', 'a\\"; filename=\\"evil.html', TAKEN),
  named('a shell command', '$(touch pwned);`id`|x&&y.mp4', TAKEN),
  named('an option', '--help', TAKEN, '--help'),
  named('SQL', "'; DROP TABLE videos;--.mp4", TAKEN),
  named('a format', '%s%n%x%%d{}$x.mp4', TAKEN, '%s%n%x%%d{}$x.mp4'),
  named('escapes of a URL', '%00%2e%2e%2f?a=b#c&d.mp4', TAKEN, '%00%2e%2e%2f?a=b#c&d.mp4'),
  named('a URL', 'http://evil.example/x.mp4', TAKEN, 'x.mp4'),
  named('data: in a name', 'data:text/html,x', TAKEN),
  named('__proto__', '__proto__', TAKEN, '__proto__'),
  named('constructor', 'constructor', TAKEN, 'constructor'),
  named('FORMAT of the store', 'FORMAT', TAKEN),
  named('a record of the store', 'staging', TAKEN, 'staging'),
]

export const FILE_NAMES: readonly HostileCase[] = [...PATHS, ...CONTROLS, ...SCRIPTS, ...LENGTHS, ...RESERVED]
