import { StoreError } from '../contract/store-error.ts'

const MAX_KEY_BYTES = 255
const byteLength = (text: string) => Buffer.byteLength(text, 'utf8')

/**
 * Returns `key` in Unicode normalization form C, the form that the store uses: macOS sends the names of files in form D,
 * and both forms name the same object. A key has 1–255 bytes of UTF-8 in form C, without `/`, `\` and control
 * characters, and is not `.` or `..`.
 *
 * @throws StoreError INVALID_KEY
 */
export function normalizeKey(key: string): string {
  const known = normalKeys.get(key)
  if (known !== undefined) return known
  const normalized = key.normalize('NFC')
  const fault = keyFault(normalized)
  if (fault !== null)
    throw new StoreError('INVALID_KEY', `${JSON.stringify(key.slice(0, 80))} ${fault}. Choose another name.`)
  if (normalKeys.size === MAX_NORMAL_KEYS) normalKeys.clear()
  normalKeys.set(key, normalized)
  return normalized
}

/** The latest valid keys: to check one takes as long as to look up its object. */
const normalKeys = new Map<string, string>()
const MAX_NORMAL_KEYS = 1000

/** Whether `value` is a key in the form that the store uses. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.normalize('NFC') === value && keyFault(value) === null
}

function keyFault(key: string): string | null {
  if (key === '') return 'is not a key: it is empty'
  if (byteLength(key) > MAX_KEY_BYTES)
    return `is not a key: it is longer than ${MAX_KEY_BYTES} bytes of UTF-8`
  if (key === '.' || key === '..') return 'is not a key: it names a directory'
  if (/[/\\\p{Cc}]/u.test(key)) return 'is not a key: it contains a slash, a backslash or a control character'
  if (/\p{Cs}/u.test(key)) return 'is not a key: it is not well-formed Unicode'
  return null
}

/**
 * Makes a key of a file name that a client sent: whatever comes in, the result is a key, and a key stays what it is
 * unless it could mislead or break a file system elsewhere.
 *
 * Spaces, `+ & # ? %` and letters of any script stay; directories, control characters and bidirectional overrides go,
 * names that Windows reserves get a `_` in front, and long names lose the end of their stem.
 *
 * @returns 1–255 bytes of UTF-8; `video` when nothing is left
 * @example
 * sanitizeKey('../../видео 歌.mp4') // 'видео 歌.mp4'
 */
export function sanitizeKey(name: string): string {
  const base = name
    .slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
    // Lone surrogates have no UTF-8.
    .replace(/\p{Cs}/gu, '\ufffd')
    // Invisible, and able to show "gpj.exe" as "exe.jpg".
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .normalize('NFC')
  const free = trim(base).replace(/^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/i, '_')
  return trim(shorten(free, MAX_KEY_BYTES)) || 'video'
}

/**
 * Windows drops trailing dots and spaces, so that two keys would be one file there. Not by /[ .]+$/, which takes seconds
 * for a name of 40,000 spaces and one letter.
 */
function trim(name: string): string {
  let [start, end] = [0, name.length]
  while (name[start] === ' ') start++
  while (end > start && (name[end - 1] === ' ' || name[end - 1] === '.')) end--
  return name.slice(start, end)
}

/**
 * The key for the `number`-th object of a name, e.g. `clip-2.mp4`.
 *
 * @param number from 2 on
 * @example
 * numberedKey('clip.mp4', 2) // 'clip-2.mp4'
 */
export function numberedKey(key: string, number: number): string {
  const { stem, extension } = split(key)
  const suffix = `-${number}${extension}`
  return `${cut(stem, MAX_KEY_BYTES - byteLength(suffix))}${suffix}`
}

function shorten(name: string, maxBytes: number): string {
  if (byteLength(name) <= maxBytes) return name
  const { stem, extension } = split(name)
  return `${cut(stem, maxBytes - byteLength(extension))}${extension}`
}

function split(name: string): { stem: string; extension: string } {
  const extension = /(?<=.)\.[^.]{1,16}$/su.exec(name)?.[0] ?? ''
  return { stem: name.slice(0, name.length - extension.length), extension }
}

/** Cuts between code points, never through one. */
function cut(text: string, maxBytes: number): string {
  let kept = ''
  let bytes = 0
  for (const character of text) {
    bytes += byteLength(character)
    if (bytes > maxBytes) break
    kept += character
  }
  return kept
}
