import { Readable } from 'node:stream'
import { StoreError } from '../../contract/store-error.ts'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { CommitOptions } from '../../contract/upload-session.ts'
import type { Manifest, Staging } from '../../session/driver.ts'
import type { SavedIntake } from '../../session/intake/intake.ts'
import { step } from '../../session/step.ts'
import type { Span } from '../client/downloads.ts'
import { isUnavailable } from '../client/errors.ts'
import type { S3Parts } from '../context/context.ts'
import type { S3Record } from '../context/records.ts'
import type { Reservation } from '../context/space.ts'
import { publish } from '../objects/publish.ts'
import type { Assembly } from './assembly.ts'
import { Checkpoints } from './checkpoints.ts'
import type { ManifestObject } from './manifest-object.ts'
import { NO_PIECES } from './pieces.ts'
import { type Checkpoint, Progress } from './progress.ts'
import { TakeoverWatch } from './takeover-watch.ts'

type Context = S3Parts<'bucket' | 'names' | 'downloads' | 'records' | 'leftovers' | 'space' | 'limits'>

export interface ObjectStagingParts {
  readonly id: string
  readonly manifest: Manifest
  readonly file: ManifestObject
  readonly assembly: Assembly
  /** The checkpoint in the manifest. */
  readonly durable: Checkpoint
  /** Whether other processes can find the upload. */
  readonly known: boolean
  readonly reservation: Reservation
}

/** One upload, sent in parts to the multipart upload that becomes its blob. */
export class ObjectStaging implements Staging {
  readonly #context: Context
  readonly #parts: ObjectStagingParts
  readonly #assembly: Assembly
  readonly #progress: Progress
  readonly #checkpoints: Checkpoints
  readonly #watch: TakeoverWatch | undefined
  #sealed = false
  /** The key under which the object may be visible although the commit has failed. */
  #committing: string | undefined
  #onTakeover: () => void = () => {}

  constructor(context: Context, parts: ObjectStagingParts) {
    this.#context = context
    this.#parts = parts
    this.#assembly = parts.assembly
    this.#progress = new Progress(parts.manifest, parts.file, parts.durable)
    this.#checkpoints = new Checkpoints(parts.assembly, this.#progress)
    this.#checkpoints.onTakeover = () => this.#onTakeover()
    this.#assembly.onPart = () => this.#checkpoint()
    this.#assembly.onBlob = (name) => parts.reservation.names.add(name)
    this.#watch = parts.known ? this.#startWatch() : undefined
  }

  arrived(bytes: number): Promise<void> | undefined {
    return this.#parts.reservation.take(bytes)
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#assembly.write(bytes)
  }

  hashed(saved: SavedIntake): void {
    this.#progress.hashed(saved)
  }

  hold(offset: number | null): void {
    this.#assembly.hold = offset
    if (offset === null) this.#checkpoint()
  }

  onTakeover(listener: () => void): void {
    this.#onTakeover = listener
  }

  onDurable(listener: (offset: number) => void): void {
    this.#checkpoints.onDurable = listener
  }

  #checkpoint(): void {
    if (!this.#parts.known) this.#assembly.recorded(this.#assembly.pieces().parts.length)
    // A pause or a commit writes the manifest anyway.
    else if (!this.#sealed) this.#checkpoints.soon()
  }

  /** Writes the first manifest, so that other processes can find the upload. */
  async announce(): Promise<void> {
    const { bucket } = this.#context
    await this.#progress.announce(bucket.within(bucket.limits.timeout))
  }

  async setManifest(manifest: Manifest): Promise<void> {
    const before = this.#progress.manifest
    this.#progress.manifest = manifest
    try {
      if (this.#parts.known) await this.#progress.write('open')
    } catch (error) {
      this.#progress.manifest = before
      throw error
    }
  }

  async seal(): Promise<void> {
    // The commit sends the rest that is less than a part, as the last part.
    await this.#assembly.settle()
    this.#parts.reservation.seal()
    this.#sealed = true
  }

  async pause(offset: number): Promise<void> {
    try {
      await this.#assembly.settle()
      await this.#checkpoints.settle()
      if (offset < this.#assembly.end) this.#assembly.cutTo(offset)
      this.#assembly.hold = null
      const intake = this.#progress.intakeAt(offset)
      // Without the state of the hash, a resumption has to read the bytes, and parts cannot be read.
      if (intake === undefined && this.#assembly.hasParts) await this.#assembly.finalise()
      else await this.#assembly.spill()
      const { offset: _, ...pieces } = this.#assembly.pieces()
      await this.#progress.write('paused', { pieces, intake })
      this.#assembly.tidy()
    } catch (error) {
      if (this.#parts.known) await this.#end(this.#progress.offset)
      throw error
    }
    await this.#end(offset)
  }

  /**
   * Makes the object visible. This is the complete order of a commit on S3, after `seal` has waited for the parts. Each
   * step is a named failpoint. `publish` repeats 'read record' to 'write record' while other writers are
   * faster.
   */
  async publish(object: StoredObject, conditions: CommitOptions): Promise<void> {
    this.#checkKey(object.key)
    const { known } = this.#parts
    const intake = this.#progress.intakeAt(object.size)
    await step('settle checkpoints', () => this.#checkpoints.settle())
    const blob = await this.#finalise(intake)
    const record = { object, blob: this.#blobId(blob), blobTag: blob.tag }
    await this.#publishRecord(record, conditions, async () => {
      const checkpoint = { pieces: { ...NO_PIECES, tails: [blob] }, intake }
      if (known) await step('write committing', () => this.#progress.write('committing', checkpoint, record))
      this.#assembly.tidy()
    })
    // A failure to write the receipt does not fail the upload, because the record proves that it is complete.
    if (known) await step('leave receipt', () => this.#leaveReceipt(record).catch(() => {}))
    await step('release upload', () => this.#end())
  }

  /** Joins all bytes to the blob of the object, if an earlier call has not done so. */
  #finalise(intake: SavedIntake | undefined): Promise<Span> {
    return step('send last part', () =>
      this.#assembly.finalise({
        announce: () => step('write completing', () => this.#writeCompleting(intake)),
        complete: (complete) => step('complete multipart', complete),
      }),
    )
  }

  /** Joins the bytes first, because parts cannot be read. The commit then uses the same blob. */
  async stream(size: number): Promise<Readable> {
    if (size === 0) return Readable.from([])
    await this.#checkpoints.settle()
    const { name, tag } = await this.#finalise(this.#progress.intakeAt(size))
    return this.#context.downloads.open({ name, tag, start: 0, end: size - 1 })
  }

  #checkKey(key: string): void {
    if (this.#committing === undefined || this.#committing === key) return
    const before = JSON.stringify(this.#committing)
    throw new StoreError(
      'ABORTED',
      `The upload may have been published as ${before}. Commit it under that key again.`,
    )
  }

  async #writeCompleting(intake: SavedIntake | undefined): Promise<void> {
    const { offset: _, ...pieces } = this.#assembly.pieces()
    if (this.#parts.known) await this.#progress.write('completing', { pieces, intake })
  }

  async #publishRecord(
    record: S3Record,
    conditions: CommitOptions,
    announce: () => Promise<void>,
  ): Promise<void> {
    try {
      const isUnsure = this.#committing !== undefined
      await publish(this.#context, { record, conditions, isUnsure, announce })
    } catch (error) {
      // Other errors mean that S3 has rejected the write. After these, the response may have been lost.
      if (!(error instanceof StoreError) || isUnavailable(error)) this.#committing = record.object.key
      throw error
    }
  }

  async #leaveReceipt(record: S3Record): Promise<void> {
    const { file } = this.#parts
    if (this.#progress.manifest.metadata === undefined) await file.remove()
    else await this.#progress.write('committed', { pieces: NO_PIECES, intake: undefined }, record)
  }

  /** Removes the bytes, which the blob of another upload contains, and leaves a receipt like that of this other upload. */
  async leaveReceipt(record: S3Record): Promise<void> {
    try {
      await this.#leaveReceipt(record)
      this.#assembly.discard()
    } finally {
      await this.#end()
    }
  }

  #blobId({ name }: Span): string {
    return name.slice(this.#context.names.blobs.length)
  }

  async discard(): Promise<void> {
    const { known, file } = this.#parts
    try {
      // Stops the retries of parts.
      this.#assembly.fail(new StoreError('ABORTED', 'The upload was cancelled.'))
      await this.#assembly.settle().catch(() => {})
      await this.#checkpoints.settle()
      // The manifest first: if another writer has taken the upload over, the stored bytes belong to that writer.
      if (known) await this.#progress.write('discarded')
      // A commit whose response was lost may still write a record for the blob. If it does not, sweep removes the blob.
      if (this.#committing === undefined) this.#assembly.discard()
      if (known) await file.remove().catch(() => {})
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'ABORTED')) throw error
    } finally {
      await this.#end()
    }
  }

  #startWatch(): TakeoverWatch {
    return new TakeoverWatch(this.#parts.file, {
      expireAfter: this.#context.limits.expireEmptyAfter,
      isSealed: () => this.#sealed,
      refresh: () => this.#progress.write('open'),
      onTakeover: () => this.#onTakeover(),
    })
  }

  /** Releases an upload that has no stored bytes yet. */
  release(): Promise<void> {
    return this.#end()
  }

  /** @param kept how many bytes of the upload remain in the bucket */
  async #end(kept = 0): Promise<void> {
    this.#watch?.stop()
    this.#parts.reservation.release(kept)
    await this.#assembly.close()
  }
}
