import {
  type CommitOptions,
  numberedKey,
  objectMetadata,
  type StoredObject,
  StoreError,
  type UploadMetadata,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import { sealWithinLimits } from '../media/captions.ts'
import { currentObject } from './current-object.ts'

/** Objects on a page of the list. */
const PAGE = 1000

/**
 * Commits a sealed upload without ever replacing other content: if the key holds other content, the new key gets a number.
 * If it holds the same content already, that object is stored again, because its bytes may be damaged and those of the
 * upload were just verified. A client that missed the response can therefore send the upload again.
 *
 * @param metadata of the object
 * @param lastModified of the object, in ms since the epoch (now, or that of the same content)
 */
export async function publishAsNew(
  store: UploadStore,
  session: UploadSession,
  metadata: UploadMetadata = objectMetadata(session.metadata),
  lastModified?: number,
): Promise<StoredObject> {
  const { digest } = await sealWithinLimits(session)
  for (let number = 1; ; ) {
    const key = number === 1 ? session.key : numberedKey(session.key, number)
    const existing = await currentObject(store, key)
    if (existing !== null && existing.digest !== digest) {
      number = number === 1 ? await findNumber(store, session.key, digest) : number + 1
      continue
    }
    try {
      return await session.commit({ key, ...commitOptions(existing, metadata, lastModified) })
    } catch (error) {
      // Another upload changed the key in between: look at its new object.
      if (!(error instanceof StoreError && error.code === 'PRECONDITION_FAILED')) throw error
    }
  }
}

/**
 * Returns the number whose key has this content already, or else the first number without an object. Reads the list, whose
 * pages are in memory, because looking at each number in turn would take ever longer.
 */
async function findNumber(store: UploadStore, name: string, digest: string): Promise<number> {
  const [second, third] = [numberedKey(name, 2), numberedKey(name, 3)]
  let at = 0
  while (second[at] === third[at]) at++
  const [head, tail] = [second.slice(0, at), second.slice(at + 1)]
  const taken = new Set<number>()
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.list({ prefix: head, limit: PAGE, cursor })
    for (const object of page.items) {
      const number = Number(object.key.slice(head.length, object.key.length - tail.length))
      if (!(number >= 2) || object.key !== numberedKey(name, number)) continue
      if (object.digest === digest) return number
      taken.add(number)
    }
    cursor = page.cursor
  }
  let number = 2
  while (taken.has(number)) number++
  return number
}

/**
 * An object that is stored again with the same content keeps its date, and its metadata unless the upload has its own.
 *
 * @param existing the object with the same content
 */
function commitOptions(
  existing: StoredObject | null,
  metadata: UploadMetadata,
  lastModified: number | undefined,
): CommitOptions {
  if (existing === null) return { ifNoneMatch: '*', metadata, lastModified }
  const date = lastModified ?? existing.lastModified
  return { ifMatch: existing.etag, lastModified: date, metadata: { ...existing.metadata, ...metadata } }
}
