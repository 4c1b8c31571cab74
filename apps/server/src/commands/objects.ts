import type { ListOptions, StoredObject, UploadStore } from 'upload-store'

const PAGE = 1000

/** Yields all objects of a list, page by page. */
export async function* objectsOf(
  store: UploadStore,
  options: Omit<ListOptions, 'cursor' | 'limit'> = {},
): AsyncGenerator<StoredObject> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.list({ ...options, limit: PAGE, cursor })
    yield* page.items
    cursor = page.cursor
  }
}

/** Runs `task` for each item, at most `width` at once, in no order. Stops at the first error, or when `signal` is aborted. */
export async function forEachOf<T>(
  items: AsyncIterable<T>,
  { width, signal }: { readonly width: number; readonly signal: AbortSignal },
  task: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  for await (const item of items) {
    if (signal.aborted) break
    const one = task(item).finally(() => running.delete(one))
    running.add(one)
    if (running.size >= width) await Promise.race(running)
  }
  await Promise.all(running)
}
