import { type StoredObject, StoreError, type UploadStore } from 'upload-store'

/**
 * The object that an upload or a deletion of `key` would replace, or `null`. A damaged record counts as none, so that its
 * key can be replaced and deleted.
 */
export async function currentObject(store: UploadStore, key: string): Promise<StoredObject | null> {
  try {
    return await store.get(key)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return null
    throw error
  }
}
