import type { UploadStore } from '../contract/store.ts'
import { companionKeys } from '../values/companion.ts'

/**
 * Deletes the companions of an object that has just been deleted. Those that are companions of another object, too, stay:
 * `a.de.vtt` belongs to `a.de` if that exists.
 */
export async function deleteCompanions(
  store: Pick<UploadStore, 'list' | 'get' | 'delete'>,
  key: string,
): Promise<void> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.list({ prefix: `${key}.`, limit: 1000, cursor })
    for (const { key: companion } of page.items) {
      const owners = companionKeys(companion)
      if (!owners.includes(key)) continue
      const others = await Promise.all(
        owners.filter((owner) => owner !== key).map((owner) => store.get(owner)),
      )
      if (others.every((other) => other === null)) await store.delete(companion)
    }
    cursor = page.cursor
  }
}
