import { randomId } from '../random-id.ts'
import { StoreError } from '../store-error.ts'
import type { Span } from './downloads.ts'
import { Filling } from './filling.ts'
import { beginMultipart, completeMultipart, listParts, type Multipart, putPart } from './multipart.ts'
import { MAX_PARTS, partSizeOf } from './part-size.ts'
import { completeAsBlob, NO_PIECES, offsetOf, type Pieces } from './pieces.ts'
import type { S3Context } from './s3-context.ts'
import { SentParts } from './sent-parts.ts'

/** Parts of one upload that are sent at a time. */
const MAX_SENDING = 4

/**
 * Makes parts of what comes, and objects of what is less than a part when an upload is paused: those go into the next part,
 * and nothing that is there is written again.
 */
export class Assembly {
  readonly #context: S3Context
  readonly #expected: number
  readonly #filling: Filling
  #multipart: Multipart | undefined
  #sent: SentParts
  #strays: boolean
  readonly #obsolete: string[] = []
  #failure: unknown
  readonly #sending = new Set<Promise<void>>()
  #last: Promise<unknown> = Promise.resolve()
  /** Bytes from here on may be taken back. */
  hold: number | null = null
  /** Called with the name of an object that bytes are about to go to. */
  onBlob: (name: string) => void = () => {}
  /** Called when a part is there. */
  onPart: () => void = () => {}

  constructor(
    context: S3Context,
    { id, epoch, expected }: { readonly id: string; readonly epoch: string; readonly expected: number },
    { multipart, parts, strays, tails }: Pieces = NO_PIECES,
  ) {
    this.#context = context
    this.#expected = expected
    this.#multipart = multipart
    this.#strays = strays
    this.#sent = new SentParts(parts)
    const tailName = (offset: number) => context.names.tail(id, offset, epoch)
    const spill = () => void this.spill().catch((error) => this.fail(error))
    this.#filling = new Filling(context, { tailName, spill }, this.#sent.end, tails)
  }

  /** How many bytes have come. */
  get end(): number {
    return this.#filling.end
  }

  get hasParts(): boolean {
    return this.#sent.count > 0
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#serially(async () => {
      for (let at = 0; at < bytes.length; ) {
        if (this.#failure !== undefined) throw this.#failure
        const size = this.#partSize()
        // A tail that was an object of its own may be longer than a part.
        if (!this.#filling.isFull(size)) at += await this.#filling.add(bytes.subarray(at), size)
        if (this.#filling.isFull(size)) await this.#send(size)
      }
    })
  }

  /** Makes an object of what is in memory, and gives that back. */
  spill(): Promise<void> {
    return this.#serially(() => this.#filling.spill(this.hold))
  }

  /** Resolves when all parts that were sent are there. */
  async settle(): Promise<void> {
    await this.#serially(() => Promise.all(this.#sending))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Ends whatever waits for parts, and every write after it. */
  fail(error: unknown): void {
    this.#failure ??= error
  }

  /** Takes back what came from `offset` on, which is held. Call when all is settled. */
  cutTo(offset: number): void {
    const first = this.#sent.cutTo(offset)
    if (first === undefined) this.#filling.cutTo(offset)
    else {
      this.#strays = true
      this.#filling.restart(first.start, first.tails, offset)
    }
  }

  /** What is there without a gap, and the offset that it reaches; nothing that may be taken back. */
  pieces(): Pieces & { readonly offset: number } {
    const { parts, isAll } = this.#sent.there(this.hold)
    const tails = isAll && this.hold === null ? this.#filling.tails : []
    const pieces = { multipart: this.#multipart, parts, strays: this.#strays, tails }
    return { ...pieces, offset: offsetOf(pieces) }
  }

  /** Tells that the first `count` parts are in the intent: what they were made of is not needed any more. */
  told(count: number): void {
    const folded = this.#sent.told(count)
    // What was longer than a part is still read.
    const needed = new Set(this.#filling.tails.map(({ name }) => name))
    this.#context.leftovers.removeObjects(folded.map(({ name }) => name).filter((name) => !needed.has(name)))
  }

  /**
   * Makes one object of all, and gives it.
   *
   * @param announce called when all parts are there, before they become an object
   */
  async finalise(announce: () => Promise<void> = async () => {}): Promise<Span> {
    await this.settle()
    const blob = await this.#serially(() => this.#finalise(announce))
    this.#obsolete.push(...this.#objects().filter((name) => name !== blob.name))
    this.#restart([blob])
    return blob
  }

  /** Removes what the object was made of. Call when no intent names that any more. */
  tidy(): void {
    this.#context.leftovers.removeObjects(this.#obsolete.splice(0))
  }

  #restart(tails: readonly Span[]): void {
    this.#sent = new SentParts([])
    this.#multipart = undefined
    this.#strays = false
    this.#filling.restart(0, tails)
  }

  async #finalise(announce: () => Promise<void>): Promise<Span> {
    const { bucket } = this.#context
    const whole = this.hasParts ? null : this.#filling.whole()
    if (whole !== null) return whole
    if (this.#strays) await this.#removeStrays()
    for (let size = this.#partSize(); this.#filling.isFull(size); size = this.#partSize()) {
      await this.#send(size)
    }
    if (!this.hasParts) {
      const name = this.#newBlob()
      const end = this.end - 1
      const tag = await this.#filling.all((bytes) => bucket.put(name, bytes))
      return { name, tag, start: 0, end }
    }
    const rest = this.end - this.#sent.end
    if (rest > 0) await this.#send(rest)
    await Promise.all(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
    await announce()
    return completeAsBlob(this.#context, this.pieces())
  }

  /** Removes all that is there. Call when all is settled, or has failed. */
  discard(): void {
    const { leftovers } = this.#context
    leftovers.removeObjects([...this.#objects(), ...this.#obsolete])
    if (this.#multipart !== undefined) leftovers.abort(this.#multipart)
  }

  /** Lets go of the memory; what was sent stays. */
  async close(): Promise<void> {
    this.fail(new StoreError('ABORTED', 'The upload has ended.'))
    await this.#serially(async () => this.#filling.drop())
  }

  #objects(): readonly string[] {
    const spans = [...this.#sent.tails, ...this.#filling.tails]
    return spans.map(({ name }) => name)
  }

  /**
   * Ceph completes no upload of which it has a part that is not asked for, and no part can be removed. So where there is one
   * behind ours, all become an object, whose beginning is read once more.
   */
  async #removeStrays(): Promise<void> {
    const multipart = this.#multipart
    if (multipart === undefined) return
    const { bucket } = this.#context
    const parts = await listParts(bucket, multipart)
    if (parts.length <= this.#sent.count) return
    await this.#filling.spill(null)
    const tag = await completeMultipart(bucket, multipart, parts)
    const { end } = this.#sent
    const ours = end === 0 ? [] : [{ name: multipart.name, tag, start: 0, end: end - 1 }]
    this.#restart([...ours, ...this.#filling.tails])
  }

  #partSize(): number {
    return partSizeOf(this.#sent.count, this.#expected, this.#context.partSize)
  }

  /** Sends the part that has been filled while the next one fills. */
  async #send(size: number): Promise<void> {
    const { bucket } = this.#context
    if (this.#sent.count === MAX_PARTS) {
      throw new StoreError('TOO_LARGE', `The upload has more than ${MAX_PARTS} parts, as many as S3 takes.`)
    }
    this.#multipart ??= await beginMultipart(bucket, this.#newBlob())
    const multipart = this.#multipart
    const { tails, use } = await this.#filling.take(size, this.hold)
    const part = this.#sent.add(size, tails)
    const number = this.#sent.count
    const sending = use((bytes) => putPart(bucket, multipart, number, bytes)).then(
      (done) => {
        part.done = done
        this.onPart()
      },
      (error) => this.fail(error),
    )
    this.#sending.add(sending)
    void sending.then(() => this.#sending.delete(sending))
    if (this.#sending.size >= MAX_SENDING) await Promise.race(this.#sending)
  }

  #newBlob(): string {
    const name = this.#context.names.blob(randomId())
    this.onBlob(name)
    return name
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => {})
    return result
  }
}
