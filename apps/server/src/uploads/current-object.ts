import { type StoredObject, StoreError, type UploadStore } from 'upload-store'

/** Returns the object under `key`, `null` if there is none, or `'damaged'` if its record cannot be read. */
export async function findObject(store: UploadStore, key: string): Promise<StoredObject | 'damaged' | null> {
  try {
    return await store.get(key)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return 'damaged'
    throw error
  }
}

/**
 * Returns the object that an upload to `key` would replace, or `null`. A damaged record counts as none, so that its key can
 * be replaced.
 */
export async function currentObject(store: UploadStore, key: string): Promise<StoredObject | null> {
  const found = await findObject(store, key)
  return found === 'damaged' ? null : found
}
