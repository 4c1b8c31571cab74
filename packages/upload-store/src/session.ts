import { BlockWriter } from './block-writer.ts'
import type { Staging } from './driver.ts'
import type { Intake } from './intake.ts'
import { checkKey } from './key.ts'
import type { StoredObject } from './object.ts'
import { SourceReader } from './source-reader.ts'
import { StoreError } from './store-error.ts'
import { checkMeta } from './upload-meta.ts'
import type {
  AppendOptions,
  ByteSource,
  CommitOptions,
  SealedUpload,
  UploadMeta,
  UploadSession,
} from './upload-session.ts'

export interface SessionOptions {
  readonly id: string
  readonly key: string
  /** The sha-256 that the content must have, lower-case hex. */
  readonly digest: string | undefined
  readonly meta: UploadMeta | undefined
  /** Whether somebody else may know of it: it was paused before, or is resumable from the start. */
  readonly known: boolean
  /** Called after a commit, a pause, or each try to abort; `resumable` after a pause that leaves the intake of use. */
  readonly onEnd: (resumable: boolean) => void
}

/** The states of an upload, the same over every driver. */
export class Session implements UploadSession {
  readonly id: string
  readonly key: string
  readonly known: boolean
  readonly #staging: Staging
  readonly #intake: Intake
  readonly #blocks: BlockWriter
  readonly #digest: string | undefined
  readonly #onEnd: (resumable: boolean) => void
  #meta: UploadMeta
  #sealed: Promise<SealedUpload> | undefined
  #state: 'open' | 'paused' | 'committed' | 'aborted' = 'open'
  /** Steps run one after the other, so that an abort never pulls the file from under a write or a commit. */
  #last: Promise<unknown> = Promise.resolve()
  /** Why no further step may begin. */
  #ending: StoreError | undefined
  /** Whether something was let in of which hash or disk may know nothing. */
  #broken = false
  /** Where the bytes begin that were let in and are not to be kept. */
  #cut: number | undefined
  #paused: Promise<number> | undefined
  #aborted: Promise<void> | undefined
  readonly #reader = new SourceReader()
  #onDurable: ((offset: number) => void) | undefined

  constructor(staging: Staging, intake: Intake, options: SessionOptions) {
    const { id, key, digest, meta = {}, known, onEnd } = options
    this.id = id
    this.key = key
    this.known = known
    this.#meta = meta
    this.#staging = staging
    this.#intake = intake
    this.#digest = digest
    this.#onEnd = onEnd
    const write = (block: Uint8Array, position: number) => staging.write(block, position)
    this.#blocks = new BlockWriter({ hash: (block) => this.#hash(block), write }, intake.size)
    staging.onTakeover(() => void this.pause().catch(() => {}))
    staging.onDurable((offset) => this.#onDurable?.(offset))
  }

  #hash(block: Uint8Array): void {
    this.#intake.hash(block)
    const saved = this.#staging.hashed === undefined ? undefined : this.#intake.save()
    if (saved !== undefined) this.#staging.hashed?.(saved)
  }

  get offset(): number {
    return this.#intake.size
  }

  get meta(): UploadMeta {
    return this.#meta
  }

  note(meta: UploadMeta): Promise<void> {
    return this.#step(async () => {
      await this.#staging.note(checkMeta(meta))
      this.#meta = meta
    })
  }

  append(offset: number, source: ByteSource, options: AppendOptions = {}): Promise<number> {
    const { verify, onDurable } = options
    return this.#step(async () => {
      if (offset !== this.offset || this.#sealed !== undefined) {
        const state = this.#sealed === undefined ? `is at ${this.offset}` : 'is sealed'
        throw new StoreError('OFFSET_MISMATCH', `The upload ${state}; bytes from ${offset} on do not fit.`)
      }
      // Apart from the bytes before it, an append can be taken back.
      if (verify !== undefined) {
        await this.#flush()
        this.#staging.hold?.(offset)
      }
      this.#onDurable = onDurable
      await this.#reader
        .read(source, (chunk) => this.#take(chunk))
        .finally(() => {
          this.#onDurable = undefined
        })
      if (verify !== undefined) await this.#verify(verify, offset)
      return this.offset
    })
  }

  async #verify(verify: () => void | Promise<void>, offset: number): Promise<void> {
    try {
      await verify()
      this.#staging.hold?.(null)
    } catch (error) {
      // Before the next step: that may be a pause for somebody who is told how far it has come.
      this.#cut = offset
      throw this.#break(error)
    }
  }

  async #take(chunk: Uint8Array): Promise<void> {
    try {
      const settling = this.#intake.admit(chunk)
      if (settling !== undefined) await settling
      const writing = this.#blocks.add(chunk)
      if (writing !== undefined) await writing
    } catch (error) {
      throw this.#break(error)
    }
    this.#checkOpen()
  }

  async #flush(): Promise<void> {
    try {
      await this.#blocks.flush()
    } catch (error) {
      throw this.#break(error)
    }
  }

  /** Counted, hashed or written in part: nothing can be built on that here, though a resumption counts anew. */
  #break(error: unknown): unknown {
    this.#broken = true
    this.#ending ??= new StoreError('ABORTED', 'The upload has failed.', { cause: error })
    return error
  }

  seal(): Promise<SealedUpload> {
    return this.#step(() => this.#seal())
  }

  #seal(): Promise<SealedUpload> {
    this.#sealed ??= this.#sealNow()
    return this.#sealed
  }

  async #sealNow(): Promise<SealedUpload> {
    await this.#flush()
    const sealed = await this.#intake.finish()
    if (this.#digest !== undefined && this.#digest !== sealed.digest) {
      const sent = `sha-256 of the ${sealed.size} bytes that arrived is ${sealed.digest}`
      throw new StoreError('DIGEST_MISMATCH', `The ${sent}, not ${this.#digest}.`)
    }
    await this.#staging.seal()
    await this.#blocks.end()
    return sealed
  }

  commit({
    key = this.key,
    ...conditions
  }: CommitOptions & { readonly key?: string | undefined } = {}): Promise<StoredObject> {
    return this.#step(async () => {
      checkKey(key)
      const sealed = await this.#seal()
      const object = { key, ...sealed, etag: `"${sealed.digest}"`, lastModified: Date.now() }
      await this.#staging.publish(object, conditions)
      this.#state = 'committed'
      this.#onEnd(false)
      return object
    })
  }

  pause(): Promise<number> {
    this.#end(new StoreError('ABORTED', 'The upload was paused here; it may be resumed.'))
    this.#paused ??= this.#lastly(() => this.#letGo())
    return this.#paused
  }

  async #letGo(): Promise<number> {
    if (this.#state !== 'open') throw new StoreError('ABORTED', `The upload is ${this.#state} already.`)
    try {
      if (!this.#broken) await this.#flush().catch(() => {})
      const offset = this.#cut ?? this.#blocks.written
      await this.#blocks.end()
      await this.#staging.pause(offset)
      this.#state = 'paused'
      this.#onEnd(!this.#broken)
      return offset
    } catch (error) {
      if (this.known) {
        this.#state = 'paused'
        this.#onEnd(false)
      }
      // The next pause tries again, or an abort ends it.
      else this.#paused = undefined
      throw error
    }
  }

  abort(): Promise<void> {
    if (this.#state === 'committed') return Promise.resolve()
    this.#end(new StoreError('ABORTED', 'The upload was aborted.'))
    this.#aborted ??= this.#lastly(() => this.#discard())
    return this.#aborted
  }

  async #discard(): Promise<void> {
    if (this.#state !== 'open') return
    try {
      await this.#blocks.end()
      await this.#staging.discard()
      this.#state = 'aborted'
    } catch (error) {
      // The next abort tries again.
      this.#aborted = undefined
      throw error
    } finally {
      this.#onEnd(false)
    }
  }

  /** Lets no further step begin, and interrupts one that waits for its source. */
  #end(reason: StoreError): void {
    this.#ending ??= reason
    this.#reader.interrupt(this.#ending)
  }

  #step<T>(step: () => Promise<T>): Promise<T> {
    return this.#lastly(() => {
      this.#checkOpen()
      return step()
    })
  }

  /** Runs when everything before it has ended: of a pause and an abort, too, the first is heard first. */
  #lastly<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => undefined)
    return result
  }

  #checkOpen(): void {
    if (this.#state === 'committed') throw new StoreError('ABORTED', 'The upload is committed already.')
    if (this.#ending) throw this.#ending
  }
}
