import { Readable } from 'node:stream'
import { Intake } from './intake.ts'
import { checkKey } from './key.ts'
import type {
  ByteSource,
  CommitOptions,
  CreateOptions,
  SealedUpload,
  StoredObject,
  StoreOptions,
  UploadSession,
} from './store.ts'
import { StoreError } from './store-error.ts'

/** What a driver does for a session: where its bytes go, and how they become an object. */
export interface Staging {
  /** Writes all of `chunk` at `position`. */
  write(chunk: Uint8Array, position: number): Promise<void>
  /** Makes every byte durable; nothing is written after it. */
  seal(): Promise<void>
  /**
   * Makes the object visible in one step if `conditions` hold, and durable. Where only the latter fails it throws with the
   * object visible; called again for the same key it does the rest.
   */
  publish(object: StoredObject, conditions: CommitOptions): Promise<void>
  /** Removes everything that no visible object needs; not called after a successful `publish`. */
  discard(): Promise<void>
}

export interface SessionOptions extends StoreOptions, CreateOptions {
  readonly id: string
  readonly key: string
  /** Called after the commit, or after each try to abort. */
  readonly onEnd: () => void
}

/** The states of an upload, the same over every driver. */
export class Session implements UploadSession {
  readonly id: string
  readonly key: string
  readonly #staging: Staging
  readonly #intake: Intake
  readonly #digest: string | undefined
  readonly #onEnd: () => void
  #sealed: Promise<SealedUpload> | undefined
  #state: 'open' | 'committed' | 'aborted' = 'open'
  /** Steps run one after the other, so that an abort never pulls the file from under a write or a commit. */
  #last: Promise<unknown> = Promise.resolve()
  #ending = false
  #aborted: Promise<void> | undefined
  #interrupt: ((reason: StoreError) => void) | undefined

  constructor(staging: Staging, options: SessionOptions) {
    this.id = options.id
    this.key = options.key
    this.#staging = staging
    this.#intake = new Intake(options, options.type)
    this.#onEnd = options.onEnd
    this.#digest = options.digest
  }

  get offset(): number {
    return this.#intake.size
  }

  append(offset: number, source: ByteSource): Promise<number> {
    return this.#step(async () => {
      if (offset !== this.offset || this.#sealed !== undefined) {
        const state = this.#sealed === undefined ? `is at ${this.offset}` : 'is sealed'
        throw new StoreError('OFFSET_MISMATCH', `The upload ${state}; bytes from ${offset} on do not fit.`)
      }
      const iterator = source[Symbol.asyncIterator]()
      try {
        for (let step = await this.#next(iterator); step.done !== true; step = await this.#next(iterator)) {
          await this.#take(step.value)
        }
      } catch (error) {
        // A stalled stream's iterator would only return with the next chunk; and neither is waited for.
        if (source instanceof Readable) source.destroy()
        else Promise.resolve(iterator.return?.()).catch(() => {})
        throw error
      }
      return this.offset
    })
  }

  /** The next chunk, or the abort that comes first. Not Promise.race, which keeps something of every chunk. */
  #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject
      iterator.next().then(resolve, reject)
    })
  }

  /** Hashing runs here while the disk writes there. */
  async #take(chunk: Uint8Array): Promise<void> {
    const steps = [this.#staging.write(chunk, this.offset), this.#intake.take(chunk)]
    const failure = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected')
    if (failure?.status === 'rejected') {
      // One of the two has these bytes and the other may not: nothing can be built on that.
      this.#ending = true
      throw failure.reason
    }
    this.#checkOpen()
  }

  seal(): Promise<SealedUpload> {
    return this.#step(() => this.#seal())
  }

  #seal(): Promise<SealedUpload> {
    this.#sealed ??= this.#intake.finish().then(async (sealed) => {
      if (this.#digest !== undefined && this.#digest !== sealed.digest) {
        const sent = `sha-256 of the ${sealed.size} bytes that arrived is ${sealed.digest}`
        throw new StoreError('DIGEST_MISMATCH', `The ${sent}, not ${this.#digest}.`)
      }
      await this.#staging.seal()
      return sealed
    })
    return this.#sealed
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
      this.#onEnd()
      return object
    })
  }

  abort(): Promise<void> {
    this.#ending = true
    this.#interrupt?.(aborted())
    this.#aborted ??= this.#last.then(() => this.#discard())
    return this.#aborted
  }

  async #discard(): Promise<void> {
    if (this.#state !== 'open') return
    try {
      await this.#staging.discard()
      this.#state = 'aborted'
    } catch (error) {
      // The next abort tries again.
      this.#aborted = undefined
      throw error
    } finally {
      this.#onEnd()
    }
  }

  #step<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#checkOpen()
      return step()
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  #checkOpen(): void {
    if (this.#state === 'committed') throw new StoreError('ABORTED', 'The upload is committed already.')
    if (this.#ending) throw aborted()
  }
}

function aborted(): StoreError {
  return new StoreError('ABORTED', 'The upload was aborted.')
}
