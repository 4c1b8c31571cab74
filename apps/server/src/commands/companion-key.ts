import { companionKeys } from 'upload-store'

/**
 * Returns the key of a file that is a companion of another file of its folder, or `null`. If that file has become
 * `clip-2.mp4`, `clip.mp4.de.vtt` becomes `clip-2.mp4.de.vtt`.
 *
 * @param keys the keys that the files of the folder have become, by name
 * @example
 * companionKey('clip.mp4.vtt', new Map([['clip.mp4', 'clip-2.mp4']])) // 'clip-2.mp4.vtt'
 */
export function companionKey(name: string, keys: ReadonlyMap<string, string>): string | null {
  for (const owner of companionKeys(name)) {
    const key = keys.get(owner)
    if (key !== undefined) return `${key}${name.slice(owner.length)}`
  }
  return null
}
