import type { BigIntStats } from 'node:fs'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { CommitOptions } from '../../contract/upload-session.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { checkConditions } from '../../values/conditions.ts'
import { removeIfThere } from '../disk/files.ts'
import { type Layout, recordName } from '../disk/layout.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import type { Lock } from '../locks/lock.ts'
import { blobId } from './blob-id.ts'
import { hasBytes, placeBlob, removeBlob, removeOwnBlob } from './blobs.ts'
import { clearRecord, draftRecord, publishRecord, readable, readRecord, syncRecord } from './records.ts'

/** Runs `task` while no other task, in this process or another, changes the record of that name. */
export function withRecordLocked<T>(
  { locks, commits }: FsParts<'locks' | 'commits'>,
  name: string,
  task: () => Promise<T>,
): Promise<T> {
  return commits.run(name, async () => {
    const lock = await locks.acquire(name)
    try {
      return await task()
    } finally {
      lock.release()
    }
  })
}

/**
 * Publishes sealed bytes as an object: the blob first, then the record that names it. The blob has the session's id if no
 * other process can have tried to publish the session, and a new one for each other process and key. So no try builds on
 * what an earlier one may have left, and no two records ever name one blob.
 */
export class Publication {
  readonly #context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>
  /** The session whose bytes these are. */
  readonly #session: string
  #blob: string
  /** The key of the last try, whether or not that succeeded. */
  #key: string | undefined
  /** Held as long as the blob may have no record yet, so that sweep leaves it alone; the session's own lock does as well. */
  #lock: Lock | undefined
  #placed: StoredObject | undefined
  /** Whether the key's record may name the blob already. */
  #isVisible = false
  /** The stored file of the digest, if it was damaged. */
  #damaged: BigIntStats | undefined
  /** How many blobs are links to that file. */
  #damagedBlobs = 0

  /** @param known whether another process may have tried before */
  constructor(context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>, session: string, known: boolean) {
    this.#context = context
    this.#session = session
    this.#blob = blobId(context.layout, known ? undefined : session)
  }

  /** Whether other keys share bytes of the same digest that were found damaged. */
  get hasDamagedKeys(): boolean {
    return this.#damagedBlobs > 0
  }

  /** The blob that the next try for this key will make; ends the tries for other keys. */
  async blobFor(key: string): Promise<string> {
    if (this.#key !== undefined && this.#key !== key) {
      await this.undo()
      this.#blob = blobId(this.#context.layout)
      this.#lock = undefined
      this.#isVisible = false
    }
    this.#key = key
    return this.#blob
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const record = { object, blob: await this.blobFor(object.key) }
    const isFirst = !this.#isVisible
    if (isFirst) {
      // Without the lock: the check under it counts, and this one saves most refused uploads the work.
      if (isConditional(conditions)) await this.#readPrevious(object.key, conditions)
      // Others wait for the key's lock, and comparing long contents takes seconds.
      await this.#place(record)
    }
    await withRecordLocked(this.#context, recordName(object.key), () =>
      this.#publishLocked(record, conditions, isFirst),
    )
    this.#lock?.release()
  }

  async #place(record: BlobRecord): Promise<void> {
    const { layout, disk, locks } = this.#context
    if (record.blob !== this.#session) this.#lock ??= await locks.acquire(record.blob)
    this.#placed = record.object
    const placing = placeBlob(layout, disk, layout.part(this.#session), record)
    await both(
      placing.then((damaged) => {
        if (damaged === null) return
        this.#damaged = damaged
        // Without the digest link.
        this.#damagedBlobs = Number(damaged.nlink) - 1
      }),
      draftRecord(layout, disk, record),
    )
  }

  /** @throws StoreError PRECONDITION_FAILED */
  async #readPrevious(key: string, conditions: CommitOptions): Promise<BlobRecord | null> {
    const { layout } = this.#context
    const previous = await readable(readRecord(layout, key))
    if (previous?.blob !== this.#blob) checkConditions(key, tagFor(layout, previous, conditions), conditions)
    return previous
  }

  async #publishLocked(record: BlobRecord, conditions: CommitOptions, isPlaced: boolean): Promise<void> {
    const { layout, disk } = this.#context
    const { key } = record.object
    const previous = await this.#readPrevious(key, conditions)
    // By a commit before this one, which failed after its commit point: only the rest is left to do.
    const isPublished = previous?.blob === record.blob
    if (!isPublished) {
      if (!isPlaced) await this.#place(record)
      if (previous === null) await clearRecord(this.#context, key)
      this.#isVisible = true
      await publishRecord(layout, record)
      // Committed: readers find the blob through its record, so no failure from here on may remove it.
      this.#placed = undefined
    }
    await syncRecord(layout, disk, key)
    // Before another process may replace the object: its bytes go with the last of their names.
    await removeIfThere(layout.part(this.#session)).catch(() => {})
    if (previous !== null && !isPublished) {
      if (isSameFile(statFile(layout.blob(previous.blob)), this.#damaged)) this.#damagedBlobs--
      // On failure it is an orphan for sweep, and no reason to fail the upload.
      await removeOwnBlob(layout, previous).catch(() => {})
    }
  }

  /** Removes what was placed without being published. */
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

function isConditional({ ifMatch, ifNoneMatch }: CommitOptions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined
}

/**
 * The entity-tag that conditions are checked against. An object whose bytes are lost does not exist for `ifNoneMatch`, so
 * that it can be created again; `ifMatch` may name it, so that it can be replaced.
 */
function tagFor(
  layout: Layout,
  previous: BlobRecord | null,
  { ifNoneMatch }: CommitOptions,
): string | undefined {
  const isLost = previous !== null && ifNoneMatch !== undefined && !hasBytes(layout, previous)
  return isLost ? undefined : previous?.object.etag
}

/** Like Promise.all, but settles only when all tasks have. */
async function both(...tasks: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
