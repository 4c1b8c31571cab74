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

/** Parts of one upload that are sent at a time. */
const MAX_SENDING = 4

interface SenderOptions {
  /** How many bytes will come in all; 0 where nobody knows. */
  readonly expected: number
  /** Told the name of an object that bytes are about to go to. */
  onBlob(name: string): void
  /** Told when a part is there. */
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

  /** Where the next part begins. */
  get end(): number {
    return this.#sent.end
  }

  /** What the next part has, in bytes. */
  get nextSize(): number {
    return partSize(this.#sent.count, this.#options.expected, this.#context.partSize)
  }

  /** Objects that parts were made of, and of which the manifest may still tell. */
  get tails(): readonly Span[] {
    return this.#sent.tails
  }

  /** Rejects every call that waits for parts, and every later part. Parts on their way are not retried any more. */
  fail(error: unknown): void {
    this.#failure ??= error
    this.#failed.abort(error)
  }

  /** Throws what has ended it. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Sends what `take` gives while the next part fills. */
  async send(size: number, take: () => Promise<TakenPart>): Promise<void> {
    const { bucket } = this.#context
    const { signal } = this.#failed
    if (this.#sent.count === MAX_PARTS) {
      throw new StoreError(
        'TOO_LARGE',
        `The upload has more than ${MAX_PARTS} parts, the limit of S3. Set a larger partSize.`,
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

  /** Resolves when all parts that were sent are there. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending)
    this.check()
  }

  /** Those that are there without a gap, up to the offset `limit`; whether those are all. */
  pieces(limit: number | null): Omit<Pieces, 'tails'> & { readonly isAll: boolean } {
    return { multipart: this.#multipart, strays: this.#strays, ...this.#sent.there(limit) }
  }

  /** Takes away the part that `offset` lies in, and all behind it; the first of them, where there is one. */
  cutTo(offset: number): SentPart | undefined {
    const first = this.#sent.cutTo(offset)
    if (first !== undefined) this.#strays = true
    return first
  }

  /** Tells that the first `count` parts are in the manifest; what those were made of that were not in it before. */
  told(count: number): readonly Span[] {
    return this.#sent.told(count)
  }

  /** All parts that are there, where some are not ours; else `null`. */
  async withStrays(): Promise<readonly Part[] | null> {
    if (!this.#strays || this.#multipart === undefined) return null
    const found = await listParts(this.#context.bucket, this.#multipart)
    return found.length > this.#sent.count ? found : null
  }

  /** Makes `parts` an object, and gives our bytes of it. */
  async gather(parts: readonly Part[]): Promise<readonly Span[]> {
    if (this.#multipart === undefined) return []
    const { name } = this.#multipart
    const tag = await completeMultipart(this.#context.bucket, this.#multipart, parts)
    return this.end === 0 ? [] : [{ name, tag, start: 0, end: this.end - 1 }]
  }

  complete(): Promise<Span> {
    return completeAsBlob(this.#context, this.pieces(null))
  }

  /** Goes on with no part, as what was sent is an object now. */
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
