import type { Readable } from 'node:stream'
import { StoreError } from '../contract/store-error.ts'
import type { StoredObject, UploadMetadata } from '../contract/stored-object.ts'
import type {
  AppendOptions,
  ByteSource,
  CommitOptions,
  SealedUpload,
  UploadSession,
} from '../contract/upload-session.ts'
import { normalizeKey } from '../values/key.ts'
import { checkMetadata, checkObjectMetadata, objectMetadata } from '../values/metadata.ts'
import { TaskQueue } from '../values/task-queue.ts'
import type { Manifest, Staging } from './driver.ts'
import { Appending } from './intake/appending.ts'
import type { Intake } from './intake/intake.ts'
import type { UploadLimits } from './intake/upload-limits.ts'

export interface SessionOptions {
  readonly id: string
  readonly manifest: Manifest
  /** Whether other processes can find the upload: it was created resumable, or paused before. */
  readonly known: boolean
  /**
   * Called after a commit, a pause, or each attempt to abort. `resumable` is true after a pause that leaves the intake
   * usable.
   */
  readonly onEnd: (resumable: boolean) => void
  readonly limits: UploadLimits
}

/** An upload session over any driver: orders its steps and enforces its states. */
export class Session implements UploadSession {
  readonly id: string
  readonly known: boolean
  readonly #staging: Staging
  readonly #bytes: Appending
  readonly #onEnd: (resumable: boolean) => void
  readonly #limits: UploadLimits
  /** Runs one step at a time, so that an abort never removes the file during a write or a commit. */
  readonly #steps = new TaskQueue()
  #manifest: Manifest
  #sealed: Promise<SealedUpload> | undefined
  #state: 'open' | 'paused' | 'committed' | 'aborted' = 'open'
  /** The reason why no further step may begin. */
  #ending: StoreError | undefined
  #paused: Promise<number> | undefined
  #aborted: Promise<void> | undefined

  constructor(staging: Staging, intake: Intake, options: SessionOptions) {
    const { id, manifest, known, onEnd, limits } = options
    this.id = id
    this.#manifest = manifest
    this.known = known
    this.#staging = staging
    this.#bytes = new Appending(staging, intake)
    this.#onEnd = onEnd
    this.#limits = limits
    staging.onTakeover(() => void this.pause().catch(() => {}))
  }

  get offset(): number {
    return this.#bytes.offset
  }

  get key(): string {
    return this.#manifest.key
  }

  get metadata(): UploadMetadata {
    return this.#manifest.metadata ?? {}
  }

  get isPart(): boolean {
    return this.#manifest.isPart === true
  }

  setMetadata(metadata: UploadMetadata): Promise<void> {
    return this.setManifest({ ...this.#manifest, metadata: checkMetadata(metadata) })
  }

  setManifest(manifest: Manifest): Promise<void> {
    return this.#step(async () => {
      await this.#staging.setManifest(manifest)
      this.#manifest = manifest
    })
  }

  append(offset: number, source: ByteSource, options: AppendOptions = {}): Promise<number> {
    return this.#step(async () => {
      if (offset !== this.offset || this.#sealed !== undefined) {
        const state = this.#sealed === undefined ? `is at ${this.offset}` : 'is sealed'
        throw new StoreError(
          'OFFSET_MISMATCH',
          `The upload ${state}, so it accepts no bytes at offset ${offset}.`,
        )
      }
      await this.#bytes.append(source, options)
      return this.offset
    })
  }

  seal(): Promise<SealedUpload> {
    return this.#step(() => this.#seal())
  }

  #seal(): Promise<SealedUpload> {
    this.#sealed ??= this.#sealNow()
    return this.#sealed
  }

  stream(): Promise<Readable> {
    return this.#step(async () => this.#staging.stream((await this.#seal()).size))
  }

  async #sealNow(): Promise<SealedUpload> {
    const { digest } = this.#manifest
    const sealed = await this.#bytes.finish()
    if (digest !== undefined && digest !== sealed.digest) {
      const sent = `sha-256 of the ${sealed.size} bytes that arrived is ${sealed.digest}`
      throw new StoreError('DIGEST_MISMATCH', `The ${sent}, not ${digest}. Send the content again.`)
    }
    await this.#staging.seal()
    await this.#bytes.end()
    return sealed
  }

  commit({
    key: name = this.key,
    lastModified = Date.now(),
    metadata = objectMetadata(this.metadata),
    ...conditions
  }: CommitOptions & { readonly key?: string | undefined } = {}): Promise<StoredObject> {
    return this.#step(async () => {
      const key = normalizeKey(name)
      checkDate(lastModified)
      checkObjectMetadata(metadata)
      const sealed = await this.#seal()
      const isSpecial = this.#limits.mayDiffer(this.key) || this.#limits.mayDiffer(key)
      if (isSpecial) await this.#limits.check(key, sealed)
      const object = { key, ...sealed, etag: `"${sealed.digest}"`, lastModified, metadata }
      await this.#staging.publish(object, conditions)
      this.#state = 'committed'
      this.#onEnd(false)
      return object
    })
  }

  pause(): Promise<number> {
    this.#end(
      new StoreError('ABORTED', 'This session of the upload was paused. Resume the upload to continue.'),
    )
    this.#paused ??= this.#steps.run(() => this.#pauseNow())
    return this.#paused
  }

  async #pauseNow(): Promise<number> {
    if (this.#state !== 'open') throw new StoreError('ABORTED', `The upload is already ${this.#state}.`)
    try {
      if (this.#bytes.failure === undefined) await this.#bytes.flush().catch(() => {})
      const offset = this.#bytes.kept
      await this.#bytes.end()
      await this.#staging.pause(offset)
      this.#state = 'paused'
      this.#onEnd(this.#bytes.failure === undefined)
      return offset
    } catch (error) {
      if (this.known) {
        this.#state = 'paused'
        this.#onEnd(false)
      }
      // A later call of `pause` retries; `abort` remains possible.
      else this.#paused = undefined
      throw error
    }
  }

  abort(): Promise<void> {
    if (this.#state === 'committed') return Promise.resolve()
    this.#end(new StoreError('ABORTED', 'The upload was aborted.'))
    this.#aborted ??= this.#steps.run(() => this.#discard())
    return this.#aborted
  }

  async #discard(): Promise<void> {
    if (this.#state !== 'open') return
    try {
      await this.#bytes.end()
      await this.#staging.discard()
      this.#state = 'aborted'
    } catch (error) {
      // A later call of `abort` retries.
      this.#aborted = undefined
      throw error
    } finally {
      this.#onEnd(false)
    }
  }

  /** Rejects further steps, and interrupts the one that waits for its source. */
  #end(reason: StoreError): void {
    this.#ending ??= reason
    this.#bytes.interrupt(this.#ending)
  }

  #step<T>(step: () => Promise<T>): Promise<T> {
    return this.#steps.run(() => {
      this.#checkOpen()
      return step()
    })
  }

  #checkOpen(): void {
    if (this.#state === 'committed') throw new StoreError('ABORTED', 'The upload is already committed.')
    const ending = this.#bytes.failure ?? this.#ending
    if (ending !== undefined) throw ending
  }
}

/** @throws RangeError if `ms` is not a valid date, because no record can hold it */
function checkDate(ms: number): void {
  if (Number.isNaN(new Date(ms).getTime()))
    throw new RangeError(`lastModified ${ms} is not a valid date. Give milliseconds since the epoch.`)
}
