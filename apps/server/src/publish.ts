import {
  numberedKey,
  type StoredObject,
  StoreError,
  type UploadSession,
  type UploadStore,
} from 'upload-store'

/**
 * Commits a sealed upload without ever replacing an object: a key that is taken by other content gets a number, and
 * one that has the same content already is the answer, so that a client whose answer was lost may send again.
 */
export async function publishAsNew(store: UploadStore, session: UploadSession): Promise<StoredObject> {
  const { digest } = await session.seal()
  for (let number = 1; ; number++) {
    const key = number === 1 ? session.key : numberedKey(session.key, number)
    const existing = await store.get(key)
    if (existing === null) {
      try {
        return await session.commit({ key, ifNoneMatch: '*' })
      } catch (error) {
        // Somebody else took the key in between: look at what they stored.
        if (!(error instanceof StoreError && error.code === 'PRECONDITION_FAILED')) throw error
        number--
      }
    } else if (existing.digest === digest) {
      await session.abort()
      return existing
    }
  }
}
