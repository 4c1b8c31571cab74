/** The number of concurrent calls of background work, such as sweeping, so that requests have connections, too. */
const BATCH = 32

export async function inBatches<T, R>(
  all: readonly T[],
  task: (one: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  for (let at = 0; at < all.length; at += BATCH) {
    results.push(...(await Promise.all(all.slice(at, at + BATCH).map(task))))
  }
  return results
}
