import { StoreError } from '../../contract/store-error.ts'
import { randomId } from '../../values/random-id.ts'
import type { Span } from '../client/downloads.ts'
import {
  beginMultipart,
  completeMultipart,
  listParts,
  type Multipart,
  type Part,
  putPart,
} from '../client/multipart.ts'
import type { S3Parts } from '../context/context.ts'
import type { TakenPart } from './filling.ts'
import { MAX_PARTS, partSize } from './part-size.ts'
import { completeAsBlob, type Pieces } from './pieces.ts'
import { type SentPart, SentParts } from './sent-parts.ts'

/** The number of parts of one upload sent at a time. */
const MAX_SENDING = 4

interface SenderOptions {
  /** The expected size of the upload, in bytes; 0 if it is unknown. */
  readonly expected: number
  /** Called with the name of an object before bytes are sent to it. */
  onBlob(name: string): void
  /** Called when S3 has stored a part. */
  onPart(): void
}

/** Sends the parts of one upload into its multipart upload, some at a time. */
export class PartSender {
  readonly #context: S3Parts<'bucket' | 'names' | 'leftovers' | 'partSize'>
  readonly #options: SenderOptions
  #multipart: Multipart | undefined
  #sent: SentParts
  #strays: boolean
  #failure: unknown
  readonly #failed = new AbortController()
  readonly #sending = new Set<Promise<void>>()

  constructor(
    context: S3Parts<'bucket' | 'names' | 'leftovers' | 'partSize'>,
    options: SenderOptions,
    { multipart, parts, strays }: Omit<Pieces, 'tails'>,
  ) {
    this.#context = context
    this.#options = options
    this.#multipart = multipart
    this.#sent = new SentParts(parts)
    this.#strays = strays
  }

  get hasParts(): boolean {
    return this.#sent.count > 0
  }

  /** The offset of the next part. */
  get end(): number {
    return this.#sent.end
  }

  /** The size of the next part, in bytes. */
  get nextSize(): number {
    return partSize(this.#sent.count, this.#options.expected, this.#context.partSize)
  }

  /** The tails that were copied into parts and that the manifest may still name. */
  get tails(): readonly Span[] {
    return this.#sent.tails
  }

  /** Rejects every call that waits for parts, and every later part. Parts being sent are not retried. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.#failed.abort(error)
  }

  /** Throws the error passed to `fail`, if there was one. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Sends the part that `take` returns, while the caller fills the next one. */
  async send(size: number, take: () => Promise<TakenPart>): Promise<void> {
    const { bucket } = this.#context
    const { signal } = this.#failed
    if (this.#sent.count === MAX_PARTS) {
      throw new StoreError(
        'TOO_LARGE',
        `The upload needs more than ${MAX_PARTS} parts, the maximum of S3. Increase partSize, or announce the size of the upload.`,
      )
    }
    this.#multipart ??= await beginMultipart(bucket, this.newBlob())
    const multipart = this.#multipart
    const { tails, use } = await take()
    const part = this.#sent.add(size, tails)
    const number = this.#sent.count
    const sending = use((bytes) => putPart(bucket, multipart, { number, body: bytes, signal })).then(
      (done) => {
        part.done = done
        this.#options.onPart()
      },
      (error) => this.fail(error),
    )
    this.#sending.add(sending)
    void sending.then(() => this.#sending.delete(sending))
    if (this.#sending.size >= MAX_SENDING) await Promise.race(this.#sending)
  }

  /** Resolves when S3 has stored all sent parts. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending)
    this.check()
  }

  /** Returns the stored parts up to the first gap or the offset `limit`, and whether these are all. */
  pieces(limit: number | null): Omit<Pieces, 'tails'> & { readonly isAll: boolean } {
    return { multipart: this.#multipart, strays: this.#strays, ...this.#sent.there(limit) }
  }

  /** Removes the part that contains `offset`, and all later ones. Returns the first removed part, if there is one. */
  cutTo(offset: number): SentPart | undefined {
    const first = this.#sent.cutTo(offset)
    if (first !== undefined) this.#strays = true
    return first
  }

  /**
   * Records that the first `count` parts are in the manifest. Returns the tails that were copied into newly recorded
   * parts.
   */
  recorded(count: number): readonly Span[] {
    return this.#sent.recorded(count)
  }

  /** Returns all parts that S3 has if some of them are not from this writer; otherwise `null`. */
  async withStrays(): Promise<readonly Part[] | null> {
    if (!this.#strays || this.#multipart === undefined) return null
    const found = await listParts(this.#context.bucket, this.#multipart)
    return found.length > this.#sent.count ? found : null
  }

  /** Joins `parts` to an object, and returns the span of this writer's bytes. */
  async gather(parts: readonly Part[]): Promise<readonly Span[]> {
    if (this.#multipart === undefined) return []
    const { name } = this.#multipart
    const tag = await completeMultipart(this.#context.bucket, this.#multipart, parts)
    return this.end === 0 ? [] : [{ name, tag, start: 0, end: this.end - 1 }]
  }

  complete(): Promise<Span> {
    return completeAsBlob(this.#context, this.pieces(null))
  }

  /** Restarts without parts, because the sent ones are an object now. */
  restart(): void {
    this.#sent = new SentParts([])
    this.#multipart = undefined
    this.#strays = false
  }

  /** Removes the parts. */
  discard(): void {
    if (this.#multipart !== undefined) this.#context.leftovers.abort(this.#multipart)
  }

  newBlob(): string {
    const name = this.#context.names.blob(randomId())
    this.#options.onBlob(name)
    return name
  }
}
