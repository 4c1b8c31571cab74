import { StoreError } from '../../contract/store-error.ts'
import { TaskQueue } from '../../values/task-queue.ts'
import type { Bucket } from '../client/bucket.ts'
import type { S3Parts } from '../context/context.ts'
import { formatManifest, parseManifest, type S3Manifest } from './manifest.ts'

type Fields = Omit<S3Manifest, 'fence' | 'since'>

function takenOver(): StoreError {
  return new StoreError('ABORTED', 'Another writer has resumed the upload, so this one was stopped.')
}

/**
 * The manifest of an upload as its writer has it: each write is in one step over the one before, so that a writer whose
 * upload was taken over finds out, and changes nothing any more.
 */
export class ManifestObject {
  readonly #context: S3Parts<'bucket' | 'names'>
  readonly #name: string
  readonly fence: string
  #tag: string | null
  readonly #writes = new TaskQueue()
  #written = performance.now()

  /** @param tag of the manifest there is; `null` where there is none yet */
  constructor(context: S3Parts<'bucket' | 'names'>, id: string, fence: string, tag: string | null) {
    this.#context = context
    this.#name = context.names.manifest(id)
    this.fence = fence
    this.#tag = tag
  }

  /** For how many ms it has not been written. */
  get age(): number {
    return performance.now() - this.#written
  }

  /**
   * @param bucket with the time budget of the operation (`transferTimeout` from the beginning of the write)
   * @throws StoreError ABORTED if another writer has taken the upload over
   */
  write(fields: Fields, bucket?: Bucket): Promise<void> {
    return this.#writes.run(() => this.#write(fields, bucket ?? this.#step()))
  }

  #step(): Bucket {
    const { bucket } = this.#context
    return bucket.within(bucket.limits.transferTimeout)
  }

  async #write(fields: Fields, bucket: Bucket): Promise<void> {
    for (;;) {
      const text = formatManifest({ ...fields, fence: this.fence, since: Date.now() })
      const { tag } = await bucket.putOver(this.#name, text, this.#tag)
      if (tag !== null) {
        this.#tag = tag
        this.#written = performance.now()
        return
      }
      const found = await bucket.get(this.#name)
      // A write of ours that was answered too late, or never.
      const isOurs = found !== null && parseManifest(found.text)?.fence === this.fence
      if (!isOurs || found.tag === this.#tag) throw takenOver()
      this.#tag = found.tag
    }
  }

  /** Whether somebody else has taken it over, or removed it. */
  async isLost(): Promise<boolean> {
    await this.#writes.end
    const tag = this.#tag
    const found = await this.#context.bucket.head(this.#name)
    return tag === this.#tag && found?.tag !== tag
  }

  /** Removes it. Call after it was written for the last time. */
  async remove(): Promise<void> {
    await this.#context.bucket.remove(this.#name)
  }
}
