import {
  type CommitOptions,
  numberedKey,
  type StoredObject,
  StoreError,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import { sealWithinLimits } from '../media/captions.ts'
import { currentObject } from './current-object.ts'

/**
 * Commits a sealed upload without ever replacing other content: if the key holds other content, the new key gets a number.
 * If it holds the same content already, that object is stored again, because its bytes may be damaged and those of the
 * upload were just verified. A client that missed the response can therefore send the upload again.
 */
export async function publishAsNew(store: UploadStore, session: UploadSession): Promise<StoredObject> {
  const { digest } = await sealWithinLimits(session)
  for (let number = 1; ; number++) {
    const key = number === 1 ? session.key : numberedKey(session.key, number)
    const existing = await currentObject(store, key)
    if (existing !== null && existing.digest !== digest) continue
    try {
      return await session.commit({ key, ...commitConditions(existing) })
    } catch (error) {
      // Another upload changed the key in between: look at its new object.
      if (!(error instanceof StoreError && error.code === 'PRECONDITION_FAILED')) throw error
      number--
    }
  }
}

/** @param existing an object with the same content, whose date stays */
function commitConditions(existing: StoredObject | null): CommitOptions {
  if (existing === null) return { ifNoneMatch: '*' }
  return { ifMatch: existing.etag, lastModified: existing.lastModified }
}
