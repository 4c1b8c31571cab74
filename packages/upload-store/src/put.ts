import type { ByteSource, CommitOptions, CreateOptions, StoredObject, UploadStore } from './store.ts'

/** `UploadStore.put` over any store's sessions. */
export async function putThrough(
  store: Pick<UploadStore, 'create'>,
  key: string,
  source: ByteSource,
  { type, digest, ...conditions }: CreateOptions & CommitOptions = {},
): Promise<StoredObject> {
  const session = await store.create(key, { type, digest })
  try {
    await session.append(0, source)
    return await session.commit(conditions)
  } catch (error) {
    await session.abort().catch(() => {})
    throw error
  }
}
