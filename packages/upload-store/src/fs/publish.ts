import { checkConditions } from '../conditions.ts'
import type { StoredObject } from '../object.ts'
import type { CommitOptions } from '../upload-session.ts'
import { placeBlob, removeBlob } from './blobs.ts'
import { removeIfThere } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { recordName } from './layout.ts'
import type { Lock } from './lock.ts'
import { blobId } from './objects/blob-id.ts'
import { clearRecord, draftRecord, publishRecord, readable, readRecord, syncRecord } from './records.ts'

/** Runs `task` while nobody else, in this process or another, changes the record of that name. */
export function withRecordLocked<T>(
  { locks, serializer }: FsContext,
  name: string,
  task: () => Promise<T>,
): Promise<T> {
  return serializer.run(name, async () => {
    const lock = await locks.acquire(name)
    try {
      return await task()
    } finally {
      lock.release()
    }
  })
}

/**
 * How sealed bytes become an object: the blob first, then the record that names it. The blob has the session's id where no
 * other process can have tried before, and a new one with each process and key that is tried otherwise: no try ever
 * builds on what an earlier one may have left, and no two records ever name one blob.
 */
export class Publication {
  readonly #context: FsContext
  /** The session whose bytes these are. */
  readonly #session: string
  #blob: string
  /** The key that was tried last, with or without success. */
  #key: string | undefined
  /** Held as long as the blob may have no record yet, so that sweep leaves it alone; the session's own does as well. */
  #lock: Lock | undefined
  #placed: StoredObject | undefined

  /** @param known whether another process may have tried before */
  constructor(context: FsContext, session: string, known: boolean) {
    this.#context = context
    this.#session = session
    this.#blob = blobId(context.layout, known ? undefined : session)
  }

  /** The blob that the next try for this key will make; ends the tries for others. */
  async blobFor(key: string): Promise<string> {
    if (this.#key !== undefined && this.#key !== key) {
      await this.undo()
      this.#blob = blobId(this.#context.layout)
      this.#lock = undefined
    }
    this.#key = key
    return this.#blob
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    await this.blobFor(object.key)
    await withRecordLocked(this.#context, recordName(object.key), () =>
      this.#publishLocked(object, conditions),
    )
    this.#lock?.release()
  }

  async #publishLocked(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const { layout, disk, locks } = this.#context
    const record = { object, blob: this.#blob }
    const previous = await readable(readRecord(layout, object.key))
    // Our own from a commit before this one, which failed after its commit point: only the rest is left to do.
    const published = previous?.blob === this.#blob
    if (!published) {
      checkConditions(object.key, previous?.object.etag, conditions)
      if (this.#blob !== this.#session) this.#lock ??= await locks.acquire(this.#blob)
      this.#placed = object
      await both(
        placeBlob(layout, disk, layout.part(this.#session), record),
        draftRecord(layout, disk, record),
      )
      if (previous === null) await clearRecord(this.#context, object.key)
      await publishRecord(layout, record)
      // Committed: readers find the blob through its record, so no failure from here on may take it away.
      this.#placed = undefined
    }
    await syncRecord(layout, disk, object.key)
    // Before anybody else may replace the object: its bytes go with the last of their names.
    await removeIfThere(layout.part(this.#session)).catch(() => {})
    if (previous !== null && !published) {
      // An orphan for sweep, and no reason to fail the upload.
      await removeBlob(layout, previous.blob, previous.object.digest).catch(() => {})
    }
  }

  /** Takes back what was placed without being published. */
  async undo(): Promise<void> {
    const { layout } = this.#context
    const placed = this.#placed
    if (placed !== undefined) {
      // A rename may be reported as failed and have happened.
      const record = await readable(readRecord(layout, placed.key))
      if (record?.blob !== this.#blob) await removeBlob(layout, this.#blob, placed.digest)
      await removeIfThere(layout.draft(this.#blob))
      this.#placed = undefined
    }
    this.#lock?.release()
  }
}

/** Like Promise.all, and when it fails nothing is under way any more. */
async function both(...tasks: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
