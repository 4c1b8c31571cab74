import type { FileHandle } from 'node:fs/promises'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { CommitOptions } from '../../contract/upload-session.ts'
import type { Manifest, Staging } from '../../session/driver.ts'
import { step } from '../../session/step.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { removeIfThere, withStoreErrors } from '../disk/files.ts'
import type { Reservation } from '../disk/space.ts'
import type { FsParts } from '../fs-context.ts'
import { isWanted } from '../locks/fence.ts'
import type { Lock } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import { correctKeys } from '../objects/correct-keys.ts'
import { Publication } from '../objects/publish.ts'
import { formatManifest } from './manifest.ts'
import { PartFile } from './part-file.ts'
import { discardFiles, leaveReceipt } from './staged-files.ts'

/** How often a session checks whether another process wants it, in ms: a client must learn the offset within 100 ms. */
const WATCH_INTERVAL = 40

/** How many unwritten bytes may be in the page cache before write-back starts. */
const WRITE_BACK = 32 * 1024 ** 2
/** The same limit for a resumable upload. A power cut costs its client at most about so many bytes to send again. */
const CHECKPOINT = 8 * 1024 ** 2

export interface FileStagingParts {
  readonly id: string
  readonly manifest: Manifest
  readonly lock: Lock
  readonly file: FileHandle
  readonly reservation: Reservation
  readonly fence: string
  /** Whether other processes can find the upload. */
  readonly known: boolean
  /** The offset of the last pause. */
  readonly pausedAt: number
}

/** One upload in its own file, which becomes a blob without a copy. */
export class FileStaging implements Staging {
  readonly #context: FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'>
  readonly #parts: FileStagingParts
  readonly #file: PartFile
  readonly #publication: Publication
  #manifest: Manifest
  /** The record of the last attempt to commit. It may have become visible before that attempt failed. */
  #committing: BlobRecord | undefined
  #onTakeover: () => void = () => {}
  #onDurable: (offset: number) => void = () => {}
  #watching: NodeJS.Timeout | undefined
  /** The offset in the manifest. */
  #durable: number

  constructor(context: FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'>, parts: FileStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#manifest = parts.manifest
    this.#durable = parts.pausedAt
    this.#file = new PartFile(parts.file, context.disk, {
      stride: parts.known ? CHECKPOINT : WRITE_BACK,
      onWrittenBack: (offset) => this.#checkpoint(offset),
    })
    this.#publication = new Publication(context, parts.id, parts.known)
    if (parts.known) this.#watch()
  }

  arrived(bytes: number): Promise<void> | undefined {
    const checking = this.#parts.reservation.take(bytes)
    return checking && withStoreErrors(checking)
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await withStoreErrors(this.#file.write(bytes, position))
  }

  async #checkpoint(offset: number): Promise<void> {
    if (!this.#parts.known) return
    try {
      await this.#writeManifest(offset, currentBoot())
    } catch {
      // The bytes are written; a later checkpoint or pause stores the offset.
      return
    }
    this.#durable = offset
    this.#onDurable(offset)
  }

  async seal(): Promise<void> {
    await step('sync part', () => withStoreErrors(this.#file.sync()))
    this.#parts.reservation.seal()
    await withStoreErrors(this.#file.close())
  }

  async setManifest(manifest: Manifest): Promise<void> {
    // A checkpoint may be writing the manifest now, and two writes must not overlap.
    await this.#file.settled()
    if (this.#parts.known) await withStoreErrors(this.#writeManifest(this.#durable, currentBoot(), manifest))
    this.#manifest = manifest
  }

  async pause(offset: number): Promise<void> {
    const { known } = this.#parts
    try {
      await this.#publication.undo()
      await withStoreErrors(this.#cutTo(offset))
      await withStoreErrors(this.#file.sync())
      await withStoreErrors(this.#writeManifest(offset, currentBoot()))
    } catch (error) {
      // Another process may be waiting to take over. It resumes from the offset in the manifest.
      if (known) await this.#cutBack().finally(() => this.#end(offset))
      throw error
    }
    await this.#end(offset)
  }

  async #cutTo(offset: number): Promise<void> {
    await this.#file.settled()
    if (offset < this.#durable) {
      // The manifest first, because a file that is shorter than its manifest says counts as damaged.
      await this.#writeManifest(offset, currentBoot())
      this.#durable = offset
    }
    await this.#file.cutTo(offset)
  }

  /** After a failed sync, marks the bytes after the durable offset as untrusted, so that a resumption discards them. */
  async #cutBack(): Promise<void> {
    if (await this.#file.hasFailed()) await this.#writeManifest(this.#durable, '').catch(() => {})
  }

  async #writeManifest(offset: number, boot: string, manifest = this.#manifest): Promise<void> {
    const { key, type, digest, expectedSize, metadata, isPart } = manifest
    const committing = this.#committing
    const kept = { key, type, digest, expectedSize, metadata, isPart, offset, boot, committing }
    const { layout, disk } = this.#context
    await disk.replaceFile(layout.manifest(this.#parts.id), formatManifest(kept))
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const leaves = this.#parts.known && this.#manifest.metadata !== undefined
    await withStoreErrors(
      this.#publication.publish(object, conditions, {
        announce: async (record) => {
          if (!leaves) return
          this.#committing = record
          await this.#writeManifest(object.size, currentBoot())
        },
        clearUp: () => (leaves ? leaveReceipt(this.#context, this.#parts.id) : this.#discardFiles()),
      }),
    )
    await this.#end()
    if (!this.#publication.hasDamagedKeys) return
    const blob = await this.#publication.blobFor(object.key)
    // The upload itself is complete. `verify` finds the keys that could not be corrected now.
    await step('correct keys', () => correctKeys(this.#context, { object, blob }).catch(() => {}))
  }

  async discard(): Promise<void> {
    await this.#file.close()
    // The part first, because removing the blob removes its digest link only if that is the last link to the bytes.
    await this.#discardFiles()
    await this.#publication.undo()
    await this.#end()
  }

  async #discardFiles(): Promise<void> {
    const { id, known } = this.#parts
    // An upload that is not resumable has only its part, and looking for other files would cost time at 50 uploads a
    // second.
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
    const path = this.#context.layout.fence(this.#parts.id)
    // Repeated until the upload is released: at the first check there may be no listener yet, and a pause may fail.
    this.#watching = setInterval(() => {
      if (isWanted(path, this.#parts.fence)) this.#onTakeover()
    }, WATCH_INTERVAL).unref()
  }

  /** @param kept how many bytes of the upload remain on the disk */
  async #end(kept = 0): Promise<void> {
    clearInterval(this.#watching)
    await this.#file.close().catch(() => {})
    this.#parts.reservation.release(kept)
    this.#parts.lock.release()
  }
}
