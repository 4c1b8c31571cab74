import type { StoreOptions, UploadStore } from 'upload-store'
import { onTestFinished } from 'vitest'

type Open = (options?: StoreOptions) => Promise<UploadStore>

/** Returns `open` for stores that are closed after the test, as an upload that a test has left open keeps its file open. */
export function closingAfterwards(open: Open): Open {
  return async (options) => {
    const store = await open(options)
    onTestFinished(() => store.close())
    return store
  }
}
