import {
  numberedKey,
  type StoredObject,
  StoreError,
  type UploadSession,
  type UploadStore,
} from 'upload-store'
import { sealWithinLimits } from './captions.ts'
import { currentObject } from './uploads/current-object.ts'

/**
 * Commits a sealed upload without ever replacing an object: a key that is taken by other content gets a number, and
 * one that has the same content already is the answer, so that a client whose answer was lost may send again.
 */
export async function publishAsNew(store: UploadStore, session: UploadSession): Promise<StoredObject> {
  const { digest } = await sealWithinLimits(session)
  for (let number = 1; ; number++) {
    const key = number === 1 ? session.key : numberedKey(session.key, number)
    const existing = await currentObject(store, key)
    if (existing !== null && existing.digest !== digest) continue
    try {
      return await publishAt(session, key, existing)
    } catch (error) {
      // Somebody else changed the key in between: look at what they stored.
      if (!(error instanceof StoreError && error.code === 'PRECONDITION_FAILED')) throw error
      number--
    }
  }
}

/** @param existing an object with the same content */
async function publishAt(
  session: UploadSession,
  key: string,
  existing: StoredObject | null,
): Promise<StoredObject> {
  if (existing === null) return session.commit({ key, ifNoneMatch: '*' })
  // For its receipt; else there is nothing to change.
  if (Object.keys(session.meta).length > 0) return session.commit({ key, ifMatch: existing.etag })
  await session.abort()
  return existing
}
