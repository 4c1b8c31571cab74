import { StoreError } from '../contract/store-error.ts'
import type { AppendOptions, ByteSource, SealedUpload } from '../contract/upload-session.ts'
import { BlockWriter } from './block-writer.ts'
import type { Staging } from './driver.ts'
import type { Intake } from './intake.ts'
import { SourceReader } from './source-reader.ts'

/** The bytes of an upload as they come: read, let in, hashed and written; and how many of them are to be kept. */
export class Appending {
  readonly #staging: Staging
  readonly #intake: Intake
  readonly #blocks: BlockWriter
  readonly #reader = new SourceReader()
  #failure: StoreError | undefined
  /** Where the bytes begin that were let in and are not to be kept. */
  #cut: number | undefined
  #onDurable: ((offset: number) => void) | undefined

  constructor(staging: Staging, intake: Intake) {
    this.#staging = staging
    this.#intake = intake
    const write = (block: Uint8Array, position: number) => staging.write(block, position)
    this.#blocks = new BlockWriter({ hash: (block) => this.#hash(block), write }, intake.size)
    staging.onDurable((offset) => this.#onDurable?.(offset))
  }

  /** How many bytes have been let in. */
  get offset(): number {
    return this.#intake.size
  }

  /** How many of the bytes are written and count. */
  get kept(): number {
    return this.#cut ?? this.#blocks.written
  }

  /**
   * Why nothing can be built here on what has come: something was let in of which hash or disk may know nothing. A
   * resumption counts anew.
   */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  /** Takes in all that `source` has; what it throws, and `verify`, is thrown. */
  async append(source: ByteSource, { verify, onDurable }: AppendOptions): Promise<void> {
    const { offset } = this
    // Apart from the bytes before it, an append can be taken back.
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

  /** Ends the append that goes on, and each one after it, with this error. */
  interrupt(reason: StoreError): void {
    this.#reader.interrupt(reason)
  }

  /** Writes all that has been let in. */
  async flush(): Promise<void> {
    try {
      await this.#blocks.flush()
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /**
   * Flushes, and says what has come.
   *
   * @throws StoreError UNSUPPORTED_TYPE
   */
  async finish(): Promise<SealedUpload> {
    await this.flush()
    return this.#intake.finish()
  }

  /** Gives the memory back; nothing may be appended any more. */
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
      // Before the next step: that may be a pause for somebody who is told how far it has come.
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
