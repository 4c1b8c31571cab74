import type { BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { CommitOptions } from '../../contract/upload-session.ts'
import { step } from '../../session/step.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { checkConditions } from '../../values/conditions.ts'
import { isThere, removeIfThere } from '../disk/files.ts'
import { type Layout, recordName } from '../disk/layout.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import type { Lock } from '../locks/lock.ts'
import { blobId } from './blob-id.ts'
import { hasBytes, linkOwn, linkStored, removeBlob, removeOwnBlob, shareByDigest } from './blobs.ts'
import { clearRecord, draftRecord, publishRecord, readable, readRecord, syncRecord } from './records.ts'

/** The files of an upload. */
export interface StagedPaths {
  readonly part: string
  /** The record before it is published, by the id of its blob. */
  draft(blob: string): string
}

/** The steps of a commit that concern the upload's other files. */
interface Around {
  /** Stores the record that the commit will write, so that a process that recovers from a crash finds it. */
  announce(record: BlobRecord): Promise<void>
  /** Removes the files of the upload that are no longer needed. */
  clearUp(): Promise<void>
}

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
 * Publishes sealed bytes as an object: the blob first, then the record that names it. The blob has the session's id if
 * no other process can have tried to publish the session, and a new id for each other process and key. So no attempt
 * builds on the files of an earlier one, and no two records ever name one blob.
 */
export class Publication {
  readonly #context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>
  /** The session whose bytes these are. */
  readonly #session: string
  readonly #paths: StagedPaths
  #blob: string
  /** The key of the last attempt, whether or not it succeeded. */
  #key: string | undefined
  /**
   * Held as long as the blob may have no record yet, so that sweep keeps the blob. For a blob with the session's id,
   * the session's part does this, which has the name of a living owner.
   */
  #lock: Lock | undefined
  #placed: StoredObject | undefined
  /** Whether the key's record may name the blob already. */
  #isVisible = false
  /** The stored file of the digest, if it was damaged. */
  #damaged: BigIntStats | undefined
  /** How many blobs are links to that file. */
  #damagedBlobs = 0

  /** @param known whether another process may have tried to publish the session before */
  constructor(
    context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>,
    session: string,
    known: boolean,
    paths: StagedPaths,
  ) {
    this.#context = context
    this.#session = session
    this.#paths = paths
    this.#blob = blobId(context.layout, known ? undefined : session)
  }

  /** Whether other keys share bytes of the same digest that were found damaged. */
  get hasDamagedKeys(): boolean {
    return this.#damagedBlobs > 0
  }

  /** Returns the id of the blob that the next attempt for this key makes. Undoes the attempts for other keys. */
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

  /**
   * Publishes the sealed bytes. This is the complete order of a commit after `seal` has flushed the part. Each step is
   * a failpoint of `npm run faults`. May run again after a failure.
   *
   * @throws StoreError PRECONDITION_FAILED
   */
  async publish(
    object: StoredObject,
    conditions: CommitOptions,
    { announce, clearUp }: Around,
  ): Promise<void> {
    const { layout, disk } = this.#context
    const { key } = object
    const record = { object, blob: await this.blobFor(key) }
    await step('write manifest', () => announce(record))
    const isFirst = !this.#isVisible
    // Without the lock, because the check under the lock decides. This one only saves work for most rejected uploads.
    if (isFirst && isConditional(conditions))
      await step('check conditions early', () => this.#readPrevious(key, conditions))
    // Without the lock, because comparing long contents takes seconds, and other commits of the key wait for the lock.
    if (isFirst) await this.#place(record)
    await withRecordLocked(this.#context, recordName(key), async () => {
      const previous = await step('check conditions', () => this.#readPrevious(key, conditions))
      // If an earlier call failed after its commit point, only the remaining steps run.
      const replaces = previous?.blob !== record.blob
      if (replaces && !isFirst) await this.#place(record)
      if (replaces && previous === null) await step('clear record', () => clearRecord(this.#context, key))
      if (replaces) await step('rename record', () => this.#makeVisible(record))
      await step('sync record', () => syncRecord(layout, disk, key))
      // Under the lock, because a process that replaces the object can free its bytes only if this link to them is
      // gone.
      await step('remove part', () => removeIfThere(this.#paths.part).catch(() => false))
      if (replaces && previous !== null) await step('remove replaced', () => this.#removeReplaced(previous))
    })
    this.#lock?.release()
    // If this fails, sweep removes the files later, so the upload does not fail.
    await step('clear up', () => clearUp().catch(() => {}))
  }

  /** Makes the blob and the draft of the record durable. No record names the blob yet. */
  async #place(record: BlobRecord): Promise<void> {
    const { layout, disk, locks } = this.#context
    const { part } = this.#paths
    const path = layout.blob(record.blob)
    if (record.blob !== this.#session) this.#lock ??= await locks.acquire(record.blob)
    this.#placed = record.object
    const placeBlob = async () => {
      await step('make blob shard', () => disk.makeParent(path))
      const stored = await step('link stored bytes', () => linkStored(layout, part, record))
      // A process may have stored shared bytes without making them durable.
      if (stored === 'same') await step('sync stored bytes', () => disk.syncPath(path))
      else {
        await step('link blob', () => linkOwn(part, path))
        await step('link digest', () => shareByDigest(layout, disk, record, typeof stored === 'object'))
      }
      await step('sync blob shard', () => disk.syncDirectory(dirname(path)))
      if (typeof stored === 'object') this.#noteDamage(stored)
    }
    await both(
      placeBlob(),
      step('draft record', () => draftRecord(layout, disk, record, this.#paths.draft(record.blob))),
    )
  }

  async #makeVisible(record: BlobRecord): Promise<void> {
    this.#isVisible = true
    await publishRecord(this.#context.layout, record.object.key, this.#paths.draft(record.blob))
    // The object is committed: readers find the blob through its record, so no later failure may remove it.
    this.#placed = undefined
  }

  #noteDamage(damaged: BigIntStats): void {
    this.#damaged = damaged
    // Does not count the digest link.
    this.#damagedBlobs = Number(damaged.nlink) - 1
  }

  async #readPrevious(key: string, conditions: CommitOptions): Promise<BlobRecord | null> {
    const { layout } = this.#context
    // Most uploads have a new key.
    const previous = isAbsent(layout.record(key)) ? null : await readable(readRecord(layout, key))
    if (previous?.blob !== this.#blob) checkConditions(key, tagFor(layout, previous, conditions), conditions)
    return previous
  }

  async #removeReplaced(previous: BlobRecord): Promise<void> {
    const { layout } = this.#context
    if (isSameFile(statFile(layout.blob(previous.blob)), this.#damaged)) this.#damagedBlobs--
    // If this fails, sweep removes the blob later, so the upload does not fail.
    await removeOwnBlob(layout, previous).catch(() => {})
  }

  /** Removes the blob and the draft if they were placed and not published. */
  async undo(): Promise<void> {
    const { layout } = this.#context
    const placed = this.#placed
    if (placed !== undefined) {
      // A rename may have happened although it was reported as failed.
      const record = await readable(readRecord(layout, placed.key))
      if (record?.blob !== this.#blob) await removeBlob(layout, this.#blob, placed.digest)
      await removeIfThere(this.#paths.draft(this.#blob))
      this.#placed = undefined
    }
    this.#lock?.release()
  }
}

/** Returns whether no entry exists. After an error of the disk it may exist, and the next call decides. */
function isAbsent(path: string): boolean {
  try {
    return !isThere(path)
  } catch {
    return false
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
