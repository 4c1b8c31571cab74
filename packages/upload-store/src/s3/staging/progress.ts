import type { Manifest } from '../../session/driver.ts'
import type { SavedIntake } from '../../session/intake/intake.ts'
import type { Bucket } from '../client/bucket.ts'
import type { S3Record } from '../context/records.ts'
import type { S3Manifest, UploadStage } from './manifest.ts'
import type { ManifestObject } from './manifest-object.ts'
import { endOffset, type Pieces } from './pieces.ts'

/** An upload's pieces, and the state needed to continue after them. */
export interface Checkpoint {
  readonly pieces: Pieces
  readonly intake: SavedIntake | undefined
}

/** The state of an upload in its manifest, and the states of its hash for later checkpoints. */
export class Progress {
  readonly #file: ManifestObject
  readonly #intakes = new Map<number, SavedIntake>()
  #durable: Checkpoint
  manifest: Manifest

  /** @param durable the checkpoint in the manifest */
  constructor(manifest: Manifest, file: ManifestObject, durable: Checkpoint) {
    this.#file = file
    this.#durable = durable
    this.manifest = manifest
  }

  get durable(): Checkpoint {
    return this.#durable
  }

  get offset(): number {
    return endOffset(this.#durable.pieces)
  }

  /** Keeps the state after a block, for a later checkpoint. */
  hashed(saved: SavedIntake): void {
    this.#intakes.set(saved.size, saved)
  }

  /** Returns the state needed to continue at `offset`, if a block or the last checkpoint ended there. */
  intakeAt(offset: number): SavedIntake | undefined {
    const { intake } = this.#durable
    return this.#intakes.get(offset) ?? (intake?.size === offset ? intake : undefined)
  }

  /** Writes the manifest of a new upload. */
  announce(bucket: Bucket): Promise<void> {
    return this.#file.write(this.#fields('open', this.#durable), bucket)
  }

  #fields(
    stage: UploadStage,
    checkpoint: Checkpoint,
    record?: S3Record,
  ): Omit<S3Manifest, 'fence' | 'since'> {
    const { key, type, digest, expectedSize, metadata, isPart } = this.manifest
    return { key, type, digest, expectedSize, metadata, isPart, stage, ...checkpoint, record }
  }

  /** @throws StoreError ABORTED if another writer has taken the upload over */
  async write(stage: UploadStage, checkpoint: Checkpoint = this.#durable, record?: S3Record): Promise<void> {
    await this.#file.write(this.#fields(stage, checkpoint, record))
    this.#durable = checkpoint
    for (const offset of this.#intakes.keys()) if (offset < this.offset) this.#intakes.delete(offset)
  }
}
