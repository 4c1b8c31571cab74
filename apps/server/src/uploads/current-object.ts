import type Koa from 'koa'
import { type StoredContent, StoreError, type UploadStore } from 'upload-store'

/** Returns the object under `key`, `null` if the key has no object, or `'damaged'` if its record cannot be read. */
export async function findObject(store: UploadStore, key: string): Promise<StoredContent | 'damaged' | null> {
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
export async function currentObject(store: UploadStore, key: string): Promise<StoredContent | null> {
  const found = await findObject(store, key)
  return found === 'damaged' ? null : found
}

/**
 * Returns the object that the preconditions of an upload to `key` are about, or `null`. An object whose bytes are lost does
 * not exist for If-None-Match, so that its key can be created again.
 */
export async function objectBeforeUpload(
  ctx: Koa.Context,
  store: UploadStore,
  key: string,
): Promise<StoredContent | null> {
  const content = await currentObject(store, key)
  if (content === null || ctx.get('If-None-Match') === '' || (await hasBytes(content))) return content
  return null
}

/** Opens the content: the store then finds a blob that is missing or has another length. */
async function hasBytes(content: StoredContent): Promise<boolean> {
  try {
    const stream = await content.stream({ start: 0, end: Math.min(0, content.size - 1) })
    stream.destroy()
    return true
  } catch (error) {
    if (error instanceof StoreError && ['CORRUPT', 'NOT_FOUND'].includes(error.code)) return false
    throw error
  }
}
