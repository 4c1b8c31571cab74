import { type FileHandle, open, rename } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { CommitOptions } from '../../contract/upload-session.ts'
import type { Manifest, Staging } from '../../session/driver.ts'
import { step } from '../../session/step.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { isThere, removeIfThere, withStoreErrors } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import type { Reservation } from '../disk/space.ts'
import type { FsParts } from '../fs-context.ts'
import { isWanted } from '../locks/fence.ts'
import type { Lock, Ownership } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import { correctKeys } from '../objects/correct-keys.ts'
import { Publication } from '../objects/publish.ts'
import type { KeptUploads } from './kept-uploads.ts'
import type { FsManifest } from './manifest.ts'
import type { ManifestFile } from './manifest-file.ts'
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
  /** The upload's lock, or the right to its files if no other process can find them. */
  readonly hold: Lock | Ownership
  readonly file: FileHandle
  readonly manifestFile: ManifestFile
  readonly reservation: Reservation
  readonly fence: string
  /** The offset in the manifest. */
  readonly durable: number
  /** Whether all bytes of the file are durable. */
  readonly isSynced: boolean
  /** The record of an attempt to commit, as the manifest has it. */
  readonly committing: BlobRecord | undefined
}

/** The mode of a part that another session may have to open again, and of bytes that never change. */
export const PART_MODE = 0o600
export const SEALED_MODE = 0o440

/** Uploads that no other process can find bear the name of their owner. */
function pathsOf(
  layout: Layout,
  { id, hold }: FileStagingParts,
): { part: string; draft(blob: string): string } {
  if (!('owner' in hold)) return { part: layout.part(id), draft: layout.draft }
  const { owner } = hold
  return { part: layout.ownPart(id, owner), draft: (blob) => layout.ownDraft(blob, owner) }
}

type Context = FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'> & { readonly kept: KeptUploads }

/** One upload in its own file, which becomes a blob without a copy. */
export class FileStaging implements Staging {
  readonly #context: Context
  readonly #parts: FileStagingParts
  readonly #file: PartFile
  readonly #publication: Publication
  /** Whether other processes can find the upload. */
  readonly #known: boolean
  /** The paths of the upload's files. */
  readonly #paths: { part: string; draft(blob: string): string }
  #hold: Lock | Ownership
  #manifest: Manifest
  /** The record of the last attempt to commit. It may have become visible before that attempt failed. */
  #committing: BlobRecord | undefined
  #onTakeover: () => void = () => {}
  #onDurable: (offset: number) => void = () => {}
  #watching: NodeJS.Timeout | undefined
  /** The offset in the manifest. */
  #durable: number
  /** Whether the files were handed over to the next session. */
  #isKept = false

  constructor(context: Context, parts: FileStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#hold = parts.hold
    this.#known = !('owner' in parts.hold)
    this.#paths = pathsOf(context.layout, parts)
    this.#manifest = parts.manifest
    this.#committing = parts.committing
    this.#durable = parts.durable
    this.#file = new PartFile(parts.file, context.disk, {
      stride: this.#known ? CHECKPOINT : WRITE_BACK,
      isSynced: parts.isSynced,
      onWrittenBack: (offset) => this.#checkpoint(offset),
    })
    this.#publication = new Publication(context, parts.id, this.#known, this.#paths)
    if (this.#known) this.#watch()
  }

  arrived(bytes: number): Promise<void> | undefined {
    const checking = this.#parts.reservation.take(bytes)
    return checking && withStoreErrors(checking)
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await withStoreErrors(this.#file.write(bytes, position))
  }

  async #checkpoint(offset: number): Promise<void> {
    if (!this.#known) return
    try {
      await this.#replaceManifest(offset)
    } catch {
      // The bytes are written; a later checkpoint or pause stores the offset.
      return
    }
    this.#durable = offset
    this.#onDurable(offset)
  }

  async seal(): Promise<void> {
    if (this.#known) await this.#file.setMode(SEALED_MODE)
    await step('sync part', () => withStoreErrors(this.#file.sync()))
    this.#parts.reservation.seal()
    await withStoreErrors(this.#file.close())
  }

  async stream(): Promise<Readable> {
    const handle = await withStoreErrors(open(this.#paths.part))
    return handle.createReadStream()
  }

  async setManifest(manifest: Manifest): Promise<void> {
    // A checkpoint may be writing the manifest now, and two writes must not overlap.
    await this.#file.settled()
    if (this.#known) await withStoreErrors(this.#replaceManifest(this.#durable, manifest))
    this.#manifest = manifest
  }

  async pause(offset: number): Promise<void> {
    const known = this.#known
    try {
      await this.#publication.undo()
      await withStoreErrors(this.#cutTo(offset))
      await withStoreErrors(this.#file.sync())
      await withStoreErrors(known ? this.#noteOffset(offset) : this.#makeKnown(offset))
    } catch (error) {
      // Another process may be waiting to take over. It resumes from the offset in the manifest.
      if (known) await this.#cutBack().finally(() => this.#end(offset))
      throw error
    }
    if (known) await this.#keep(offset)
    await this.#end(offset)
  }

  /** Gives the upload the names by which other processes find it. */
  async #makeKnown(offset: number): Promise<void> {
    const { layout, locks } = this.#context
    const { id } = this.#parts
    const own = this.#hold
    if ('owner' in own) {
      this.#hold = await locks.acquire(id)
      own.release()
    }
    const part = layout.part(id)
    if (this.#paths.part !== part) await rename(this.#paths.part, part)
    this.#paths.part = part
    await this.#replaceManifest(offset)
  }

  /** Writes the offset to the manifest if it has another one. The bytes before it are durable. */
  async #noteOffset(offset: number): Promise<void> {
    if (offset !== this.#durable) await this.#writeProgress(offset)
    this.#durable = offset
  }

  /** Leaves the files open for the next session of this process. */
  async #keep(offset: number): Promise<void> {
    const file = await this.#file.release()
    if (file === undefined) return
    const { id, manifestFile } = this.#parts
    this.#context.kept.keep(id, this.#manifestAt(offset), { file, manifestFile })
    this.#isKept = true
  }

  async #cutTo(offset: number): Promise<void> {
    await this.#file.settled()
    if (offset < this.#durable) {
      // The manifest first, because a file that is shorter than its manifest says counts as damaged.
      await this.#writeProgress(offset)
      this.#durable = offset
    }
    await this.#file.cutTo(offset)
  }

  /** After a failed sync, marks the bytes after the durable offset as untrusted, so that a resumption discards them. */
  async #cutBack(): Promise<void> {
    if (await this.#file.hasFailed()) await this.#writeProgress(this.#durable, '').catch(() => {})
  }

  async #writeProgress(offset: number, boot?: string): Promise<void> {
    await this.#parts.manifestFile.noteProgress(this.#manifestAt(offset), boot)
  }

  async #replaceManifest(offset: number, manifest = this.#manifest): Promise<void> {
    await this.#parts.manifestFile.replace(this.#manifestAt(offset, manifest))
  }

  #manifestAt(offset: number, manifest = this.#manifest): FsManifest {
    const { key, type, digest, expectedSize, metadata, isPart } = manifest
    const committing = this.#committing
    return { key, type, digest, expectedSize, metadata, isPart, offset, boot: currentBoot(), committing }
  }

  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    const leaves = this.#known && this.#manifest.metadata !== undefined
    await withStoreErrors(
      this.#publication.publish(object, conditions, {
        announce: async (record) => {
          if (!leaves) return
          this.#committing = record
          await this.#replaceManifest(object.size)
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
    const { part } = this.#paths
    // An upload that is not resumable has only its part, and a commit has removed it.
    if (this.#known) await discardFiles(this.#context, this.#parts.id)
    else if (isThere(part)) await removeIfThere(part)
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
    const { manifestFile, reservation } = this.#parts
    if (!this.#isKept) await manifestFile.close().catch(() => {})
    reservation.release(kept)
    this.#hold.release()
  }
}
