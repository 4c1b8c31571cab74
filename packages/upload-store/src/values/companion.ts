/** `.vtt`, `.de.vtt`, `.pt-BR.vtt`, `.poster.jpg`, `.storyboard.jpg`; the tag of a language as in BCP 47, loosely. */
const SUFFIX =
  /^(?<key>.+?)(?:(?:\.(?<language>[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*))?\.vtt|\.(?:poster|storyboard)\.jpg)$/su

/**
 * Returns the keys that an object with the key `key` may be a companion of, the longest first; `[]` if none. Whether it is
 * one depends on the store: a companion is an object whose own object exists.
 *
 * `a.mp4.de.vtt` may be German captions of `a.mp4`, or captions of an object `a.mp4.de`.
 *
 * @example
 * companionKeys('a.mp4.de.vtt') // ['a.mp4.de', 'a.mp4']
 * companionKeys('a.mp4.poster.jpg') // ['a.mp4']
 */
export function companionKeys(key: string): readonly string[] {
  const { groups } = SUFFIX.exec(key) ?? {}
  const owner = groups?.['key']
  if (owner === undefined) return []
  const language = groups?.['language']
  return language === undefined ? [owner] : [`${owner}.${language}`, owner]
}

/**
 * Returns the key of the object that `key` is a companion of, or `null`.
 *
 * @param exists tells whether an object has a key
 */
export function companionOf(key: string, exists: (key: string) => boolean): string | null {
  return companionKeys(key).find(exists) ?? null
}
