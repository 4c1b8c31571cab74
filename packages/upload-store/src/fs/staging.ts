import { open } from 'node:fs/promises'
import { checkConditions } from '../conditions.ts'
import type { Staging } from '../session.ts'
import type { CommitOptions, StoredObject } from '../store.ts'
import { placeBlob, removeBlob } from './blobs.ts'
import { removeIfThere, withNoSpace, writeAll } from './durable.ts'
import type { Layout } from './layout.ts'
import { draftRecord, publishRecord, readable, readRecord, syncRecord } from './records.ts'
import type { Serializer } from './serialize.ts'

/** Stages an upload in a file of its own, which becomes the blob without a copy. */
export async function stageInFile(layout: Layout, id: string, serializer: Serializer): Promise<Staging> {
  const part = layout.part(id)
  const file = await withNoSpace(open(part, 'wx', 0o600))
  let placed: StoredObject | undefined

  async function publishLocked(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const record = { object, blob: id }
    const previous = await readable(readRecord(layout, object.key))
    // Our own from a commit before this one, which failed after its commit point: only the rest is left to do.
    const published = previous?.blob === id
    if (!published) {
      checkConditions(object.key, previous?.object.etag, conditions)
      placed = object
      await placeBlob(layout, id, object)
      await draftRecord(layout, record)
      await publishRecord(layout, record, conditions.ifNoneMatch === '*')
      // Committed: readers find the blob through its record, so no failure from here on may take it away.
      placed = undefined
    }
    await syncRecord(layout, object.key)
    // What cannot be cleaned up now is an orphan for sweep, and no reason to fail the upload.
    await removeIfThere(part).catch(() => {})
    if (previous !== null && !published) {
      await removeBlob(layout, previous.blob, previous.object.digest).catch(() => {})
    }
  }

  return {
    write: (chunk, position) => withNoSpace(writeAll(file, chunk, position)),
    seal: async () => {
      await withNoSpace(file.datasync())
      await file.chmod(0o440)
      await file.close()
    },
    publish: (object, conditions) =>
      withNoSpace(serializer.run(object.key, () => publishLocked(object, conditions))),
    discard: async () => {
      await file.close().catch(() => {})
      await removeIfThere(part)
      await removeIfThere(layout.draft(id))
      if (placed !== undefined) await removeBlob(layout, id, placed.digest)
    },
  }
}
