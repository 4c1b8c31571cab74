import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { numberedKey, type StoredContent, type UploadSession, type UploadStore } from 'upload-store'
import type { FoundFile } from './walk.ts'

/** How many bytes are compared at each end of files of the same name, size and date. */
const COMPARED = 64 * 1024

/** The videos that an earlier import, or an earlier file of this one, has made of a file. */
export class EarlierImports {
  readonly #store: UploadStore
  /** The keys that files of this import have. Another file of the same name, size and date is another video. */
  readonly #taken = new Set<string>()

  constructor(store: UploadStore) {
    this.#store = store
  }

  /** Keeps later files of this import from being found under this key by their date. */
  take(key: string): void {
    this.#taken.add(key)
  }

  /**
   * Returns the key of the object that has the name, size, date, beginning and end of the file, or `null`.
   * Archives give many files one date, and cameras one size, but not the same bytes at both ends.
   */
  async findByDate(key: string, file: FoundFile): Promise<string | null> {
    for await (const object of this.#numbered(key)) {
      const isLike = object.size === file.size && object.lastModified === file.modified
      if (isLike && !this.#taken.has(object.key) && (await hasSameEnds(object, file))) return object.key
    }
    return null
  }

  /** Returns the key of an object of this name that has the bytes of the upload. */
  async findByDigest(key: string, session: UploadSession): Promise<string | null> {
    const { digest } = await session.seal()
    for await (const object of this.#numbered(key)) if (object.digest === digest) return object.key
    return null
  }

  /** Yields the objects `clip.mp4`, `clip-2.mp4` and so on, as far as they exist. */
  async *#numbered(key: string): AsyncGenerator<StoredContent> {
    for (let number = 1; ; number++) {
      const object = await this.#store.get(number === 1 ? key : numberedKey(key, number))
      if (object === null) return
      yield object
    }
  }
}

async function hasSameEnds(object: StoredContent, { path, size }: FoundFile): Promise<boolean> {
  const last = size - 1
  const ends = [
    { start: 0, end: Math.min(COMPARED - 1, last) },
    { start: Math.max(size - COMPARED, 0), end: last },
  ]
  if (size === 0) return true
  for (const range of size > COMPARED ? ends : ends.slice(0, 1)) {
    const [stored, found] = [await object.stream(range), createReadStream(path, range)]
    if (!(await buffer(stored)).equals(await buffer(found))) return false
  }
  return true
}
