import { randomId } from '../random-id.ts'
import { StoreError } from '../store-error.ts'
import type { Span } from './downloads.ts'
import { Filling, lengthOf } from './filling.ts'
import {
  beginMultipart,
  completeMultipart,
  listParts,
  type Multipart,
  type Part,
  putPart,
} from './multipart.ts'
import { MAX_PARTS, partSizeOf } from './part-size.ts'
import type { S3Context } from './s3-context.ts'

/** Parts of one upload that are sent at a time. */
const MAX_SENDING = 4

/** What an upload consists of, as another process has to know it. */
export interface Pieces {
  /** The unfinished multipart upload; none before its first part. */
  readonly multipart: Multipart | undefined
  readonly parts: readonly Part[]
  /** Whether there may be parts beside these, of a writer that was cut off or of bytes that were taken back. */
  readonly strays: boolean
  /** Objects that hold the bytes behind the parts, each less than all of a part, but for one that was completed. */
  readonly tails: readonly Span[]
}

export const NO_PIECES: Pieces = { multipart: undefined, parts: [], strays: false, tails: [] }

interface SentPart {
  readonly start: number
  readonly size: number
  /** What its beginning was made of. */
  readonly tails: readonly Span[]
  done: Part | undefined
}

export function offsetOf({ parts, tails }: Pick<Pieces, 'parts' | 'tails'>): number {
  return parts.reduce((sum, { size }) => sum + size, 0) + lengthOf(tails)
}

/**
 * Makes parts of what comes, and objects of what is less than a part when an upload is paused: those go into the next part,
 * and nothing that is there is written again.
 */
export class Assembly {
  readonly #context: S3Context
  readonly #expected: number
  readonly #filling: Filling
  #multipart: Multipart | undefined
  #sent: SentPart[]
  #strays: boolean
  /** Where the part begins that is filled now. */
  #start: number
  /** How many of the parts are in intents, so that nobody needs what they were made of. */
  #told = 0
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
    let start = 0
    this.#sent = parts.map((done) => {
      const sent = { start, size: done.size, tails: [], done }
      start += done.size
      return sent
    })
    this.#start = start
    this.#told = parts.length
    const tailName = (offset: number) => context.names.tail(id, offset, epoch)
    const spill = () => void this.spill().catch((error) => this.fail(error))
    this.#filling = new Filling(context, { tailName, spill }, start, tails)
  }

  /** How many bytes have come. */
  get end(): number {
    return this.#filling.end
  }

  get hasParts(): boolean {
    return this.#sent.length > 0
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
    const cut = this.#sent.findIndex(({ start, size }) => start + size > offset)
    const first = this.#sent[cut]
    if (first === undefined) this.#filling.cutTo(offset)
    else {
      this.#strays = true
      this.#sent = this.#sent.slice(0, cut)
      this.#start = first.start
      this.#filling.restart(first.start, first.tails, offset)
    }
  }

  /** What is there without a gap, and the offset that it reaches; nothing that may be taken back. */
  pieces(): Pieces & { readonly offset: number } {
    const { hold } = this
    const missing = this.#sent.findIndex(
      ({ done, start, size }) => done === undefined || (hold !== null && start + size > hold),
    )
    const sent = missing === -1 ? this.#sent : this.#sent.slice(0, missing)
    const parts = sent.flatMap(({ done }) => done ?? [])
    const tails = missing === -1 && hold === null ? this.#filling.tails : []
    const pieces = { multipart: this.#multipart, parts, strays: this.#strays, tails }
    return { ...pieces, offset: offsetOf(pieces) }
  }

  /** Tells that the first `count` parts are in the intent: what they were made of is not needed any more. */
  told(count: number): void {
    const folded = this.#sent.slice(this.#told, count).flatMap(({ tails }) => tails)
    this.#told = Math.max(this.#told, count)
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
    this.#context.leftovers.removeObjects(this.#objects().filter((name) => name !== blob.name))
    this.#restart([blob])
    return blob
  }

  #restart(tails: readonly Span[]): void {
    this.#sent = []
    this.#told = 0
    this.#start = 0
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
    const rest = this.end - this.#start
    if (rest > 0) await this.#send(rest)
    await Promise.all(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
    await announce()
    return completeAsBlob(this.#context, this.pieces())
  }

  /** Removes all that is there. Call when all is settled, or has failed. */
  discard(): void {
    const { leftovers } = this.#context
    leftovers.removeObjects(this.#objects())
    if (this.#multipart !== undefined) leftovers.abort(this.#multipart)
  }

  /** Lets go of the memory; what was sent stays. */
  async close(): Promise<void> {
    this.fail(new StoreError('ABORTED', 'The upload has ended.'))
    await this.#serially(async () => this.#filling.drop())
  }

  #objects(): readonly string[] {
    const spans = [...this.#sent.flatMap(({ tails }) => tails), ...this.#filling.tails]
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
    if (parts.length <= this.#sent.length) return
    await this.#filling.spill(null)
    const tag = await completeMultipart(bucket, multipart, parts)
    const ours = this.#start === 0 ? [] : [{ name: multipart.name, tag, start: 0, end: this.#start - 1 }]
    this.#restart([...ours, ...this.#filling.tails])
  }

  #partSize(): number {
    return partSizeOf(this.#sent.length, this.#expected, this.#context.partSize)
  }

  /** Sends the part that has been filled while the next one fills. */
  async #send(size: number): Promise<void> {
    const { bucket } = this.#context
    if (this.#sent.length === MAX_PARTS) {
      throw new StoreError('TOO_LARGE', `The upload has more than ${MAX_PARTS} parts, as many as S3 takes.`)
    }
    this.#multipart ??= await beginMultipart(bucket, this.#newBlob())
    const multipart = this.#multipart
    const { tails, use } = await this.#filling.take(size, this.hold)
    const part: SentPart = { start: this.#start, size, tails, done: undefined }
    const number = this.#sent.push(part)
    this.#start += size
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

/** Makes the parts of an upload, all of which are there, its blob. */
export async function completeAsBlob(
  { bucket }: S3Context,
  { multipart, parts }: Pick<Pieces, 'multipart' | 'parts'>,
): Promise<Span> {
  if (multipart === undefined) throw new TypeError('There is no upload to complete.')
  const tag = await completeMultipart(bucket, multipart, parts)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  return { name: multipart.name, tag, start: 0, end: size - 1 }
}
