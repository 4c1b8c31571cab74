import type { PutOptions, UploadStore } from '../contract/store.ts'
import type { StoredObject } from '../contract/stored-object.ts'
import type { ByteSource } from '../contract/upload-session.ts'

/** Implements `UploadStore.put` with the sessions of any store. */
export async function putThrough(
  store: Pick<UploadStore, 'createUpload'>,
  key: string,
  source: ByteSource,
  { type, digest, expectedSize, ...conditions }: PutOptions = {},
): Promise<StoredObject> {
  const session = await store.createUpload(key, { type, digest, expectedSize })
  try {
    await session.append(0, source)
    return await session.commit(conditions)
  } catch (error) {
    await session.abort().catch(() => {})
    throw error
  }
}
