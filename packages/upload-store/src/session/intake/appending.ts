import { StoreError } from '../../contract/store-error.ts'
import type { AppendOptions, ByteSource, SealedUpload } from '../../contract/upload-session.ts'
import type { Staging } from '../driver.ts'
import { BlockWriter } from './block-writer.ts'
import type { Intake } from './intake.ts'
import { SourceReader } from './source-reader.ts'

/** Reads, checks, hashes and writes the bytes of an upload, and knows how many of them a pause keeps. */
export class Appending {
  readonly #staging: Staging
  readonly #intake: Intake
  readonly #blocks: BlockWriter
  readonly #reader = new SourceReader()
  #failure: StoreError | undefined
  /** The start of a rejected append: the bytes from here on were accepted and are discarded by the next pause. */
  #cut: number | undefined
  #onDurable: ((offset: number) => void) | undefined

  constructor(staging: Staging, intake: Intake) {
    this.#staging = staging
    this.#intake = intake
    const write = (block: Uint8Array, position: number) => staging.write(block, position)
    this.#blocks = new BlockWriter({ hash: (block) => this.#hash(block), write }, intake.size)
    staging.onDurable((offset) => this.#onDurable?.(offset))
  }

  /** The number of bytes accepted. */
  get offset(): number {
    return this.#intake.size
  }

  /** The number of written bytes that a pause keeps. */
  get kept(): number {
    return this.#cut ?? this.#blocks.written
  }

  /**
   * Set once hash and disk may disagree; the session then accepts no further append. A resumption computes both again
   * from the kept bytes.
   */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  /**
   * Accepts all bytes of `source`.
   *
   * @throws what `source` or `verify` throws
   */
  async append(source: ByteSource, { verify, onDurable }: AppendOptions): Promise<void> {
    const { offset } = this
    // Flushed first, so that the bytes of this append can be discarded without those before it.
    if (verify !== undefined) {
      await this.flush()
      this.#staging.hold?.(offset)
    }
    this.#onDurable = onDurable
    try {
      await this.#reader.read(source, (chunk) => this.#take(chunk))
    } finally {
      this.#onDurable = undefined
    }
    if (verify !== undefined) await this.#verify(verify, offset)
  }

  /** Rejects the current append, and each later one, with this error. */
  interrupt(reason: StoreError): void {
    this.#reader.interrupt(reason)
  }

  /** Writes all accepted bytes. */
  async flush(): Promise<void> {
    try {
      await this.#blocks.flush()
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /**
   * Flushes, and returns the size, type and digest of the accepted bytes.
   *
   * @throws StoreError UNSUPPORTED_TYPE
   */
  async finish(): Promise<SealedUpload> {
    await this.flush()
    return this.#intake.finish()
  }

  /** Releases the memory. Nothing may be appended afterwards. */
  end(): Promise<void> {
    return this.#blocks.end()
  }

  async #take(chunk: Uint8Array): Promise<void> {
    try {
      const settling = this.#intake.check(chunk)
      if (settling !== undefined) await settling
      const accounting = this.#staging.arrived?.(chunk.length)
      if (accounting !== undefined) await accounting
      const writing = this.#blocks.add(chunk)
      if (writing !== undefined) await writing
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async #verify(verify: () => void | Promise<void>, offset: number): Promise<void> {
    try {
      await verify()
      this.#staging.hold?.(null)
    } catch (error) {
      // Set before the next step, because that may be a pause, which reports `kept` to the client that resumes.
      this.#cut = offset
      throw this.#fail(error)
    }
  }

  #fail(error: unknown): unknown {
    this.#failure ??= new StoreError(
      'ABORTED',
      'An earlier append has failed, so the session accepts no bytes. Resume the upload.',
      { cause: error },
    )
    return error
  }

  #hash(block: Uint8Array): void {
    this.#intake.hash(block)
    const saved = this.#staging.hashed === undefined ? undefined : this.#intake.save()
    if (saved !== undefined) this.#staging.hashed?.(saved)
  }
}
