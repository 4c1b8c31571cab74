import type { FileHandle } from 'node:fs/promises'
import type { BlobRecord } from '../blob-record.ts'
import type { Intent, Staging } from '../driver.ts'
import type { StoredObject } from '../object.ts'
import type { CommitOptions, UploadMeta } from '../upload-session.ts'
import { isWanted } from './epoch.ts'
import { removeIfThere, withNoSpace, writeAll } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { formatIntent } from './intent.ts'
import type { Lock } from './lock.ts'
import { currentBoot } from './owner.ts'
import { Publication } from './publish.ts'
import type { Reservation } from './space.ts'
import { discardFiles, leaveReceipt } from './staged-files.ts'

/** How often a session looks whether another process wants it: an offset is to be told within 100 ms. */
const WATCH_INTERVAL = 40

/** How much may wait to be written back before that begins, in bytes. */
const WRITE_BACK = 32 * 1024 ** 2
/** The same of an upload that others know of: what a power cut may take from a client that is to send it again. */
const CHECKPOINT = 8 * 1024 ** 2

export interface FileStagingParts {
  readonly id: string
  readonly intent: Intent
  readonly lock: Lock
  readonly file: FileHandle
  readonly reservation: Reservation
  readonly epoch: string
  /** Whether another process may know of it. */
  readonly known: boolean
  /** The offset of the last pause. */
  readonly pausedAt: number
}

/** One upload in a file of its own, which becomes a blob without a copy. */
export class FileStaging implements Staging {
  readonly #context: FsContext
  readonly #parts: FileStagingParts
  readonly #publication: Publication
  #meta: UploadMeta | undefined
  /** What a commit was last tried for; it may have been seen, and failed after that. */
  #committing: BlobRecord | undefined
  #open = true
  #onTakeover: () => void = () => {}
  #onDurable: (offset: number) => void = () => {}
  #watching: NodeJS.Timeout | undefined
  #dirty = 0
  /** The offset that the intent tells. */
  #durable: number
  /** Rejected for ever once it has been. */
  #writtenBack: Promise<void> = Promise.resolve()
  #synced: Promise<void> | undefined

  constructor(context: FsContext, parts: FileStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#meta = parts.intent.meta
    this.#durable = parts.pausedAt
    this.#publication = new Publication(context, parts.id, parts.known)
    if (parts.known) this.#watch()
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, reservation } = this.#parts
    const admitted = reservation.take(bytes.length)
    if (admitted !== undefined) await admitted
    await withNoSpace(writeAll(file, bytes, position))
    this.#dirty += bytes.length
    if (this.#dirty >= (this.#parts.known ? CHECKPOINT : WRITE_BACK)) this.#writeBack(position + bytes.length)
  }

  /** Lets the disk begin: else all of it would wait for seal, and the client with it. */
  #writeBack(offset: number): void {
    this.#dirty = 0
    this.#writtenBack = this.#writtenBack.then(() => this.#checkpoint(offset))
    // Whoever syncs next is told.
    this.#writtenBack.catch(() => {})
  }

  async #checkpoint(offset: number): Promise<void> {
    await this.#context.disk.sync(this.#parts.file)
    if (!this.#parts.known) return
    try {
      await this.#writeIntent(offset, currentBoot())
    } catch {
      // The bytes are there; a later pause tells.
      return
    }
    this.#durable = offset
    this.#onDurable(offset)
  }

  async seal(): Promise<void> {
    await withNoSpace(this.#sync())
    // Nothing more will come.
    this.#parts.reservation.release()
    await this.#close()
  }

  async note(meta: UploadMeta): Promise<void> {
    // One intent is written after the other; what a write-back failed with the next sync tells.
    await this.#writtenBack.catch(() => {})
    if (this.#parts.known) await withNoSpace(this.#writeIntent(this.#durable, currentBoot(), meta))
    this.#meta = meta
  }

  async pause(offset: number): Promise<void> {
    const { known } = this.#parts
    try {
      await this.#publication.undo()
      await withNoSpace(this.#cutTo(offset))
      await withNoSpace(this.#sync())
      await withNoSpace(this.#writeIntent(offset, currentBoot()))
    } catch (error) {
      // Somebody may wait to take over, from the offset of the pause before.
      if (known) await this.#cutBack().finally(() => this.#end())
      throw error
    }
    await this.#end()
  }

  async #cutTo(offset: number): Promise<void> {
    const { file } = this.#parts
    await this.#writtenBack.catch(() => {})
    if (offset < this.#durable) {
      // First: a file that is shorter than its intent tells counts as damaged.
      await this.#writeIntent(offset, currentBoot())
      this.#durable = offset
    }
    if (this.#open && (await file.stat()).size > offset) await file.truncate(offset)
  }

  /**
   * A system reports once that it could not write, and counts the bytes as written from then on: the next sync succeeds
   * over bytes that are lost. So the first failure is the answer for ever.
   */
  #sync(): Promise<void> {
    this.#synced ??= this.#writtenBack.then(() =>
      this.#open ? this.#context.disk.sync(this.#parts.file) : undefined,
    )
    return this.#synced
  }

  /** Lets whoever resumes believe nothing that came after what was durable. */
  async #cutBack(): Promise<void> {
    const failed = await this.#synced?.then(
      () => false,
      () => true,
    )
    if (failed) await this.#writeIntent(this.#durable, '').catch(() => {})
  }

  async #writeIntent(offset: number, boot: string, meta = this.#meta): Promise<void> {
    const { id, intent } = this.#parts
    const { key, type, digest, expectedSize } = intent
    const committing = this.#committing
    const kept = { key, type, digest, expectedSize, meta, offset, boot, committing }
    const { layout, disk } = this.#context
    await disk.replaceFile(layout.intent(id), formatIntent(kept))
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const leaves = this.#parts.known && this.#meta !== undefined
    // Before the commit point: whoever comes after a crash has to know what to look for.
    if (leaves) await withNoSpace(this.#tell(object))
    await withNoSpace(this.#publication.publish(object, conditions))
    // What cannot be cleaned up now is an orphan for sweep, and no reason to fail the upload.
    await (leaves ? leaveReceipt(this.#context, this.#parts.id) : this.#discardFiles()).catch(() => {})
    await this.#end()
  }

  async #tell(object: StoredObject): Promise<void> {
    this.#committing = { object, blob: await this.#publication.blobFor(object.key) }
    await this.#writeIntent(object.size, currentBoot())
  }

  async discard(): Promise<void> {
    await this.#close()
    // The part first: a blob takes its digest link with it where that is the last name of the bytes.
    await this.#discardFiles()
    await this.#publication.undo()
    await this.#end()
  }

  async #discardFiles(): Promise<void> {
    const { id, known } = this.#parts
    // The usual upload has one file, and 50 more a second of them need not be looked for.
    if (known) await discardFiles(this.#context, id)
    else await removeIfThere(this.#context.layout.part(id))
  }

  onTakeover(listener: () => void): void {
    this.#onTakeover = listener
  }

  onDurable(listener: (offset: number) => void): void {
    this.#onDurable = listener
  }

  #watch(): void {
    const path = this.#context.layout.epoch(this.#parts.id)
    // Again and again until it has let go: the first time there may be no listener yet, and a pause may fail.
    this.#watching = setInterval(() => {
      if (isWanted(path, this.#parts.epoch)) this.#onTakeover()
    }, WATCH_INTERVAL).unref()
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#writtenBack.catch(() => {})
    await this.#parts.file.close()
  }

  async #end(): Promise<void> {
    clearInterval(this.#watching)
    await this.#close().catch(() => {})
    this.#parts.reservation.release()
    this.#parts.lock.release()
  }
}
