import { StoreError } from '../../contract/store-error.ts'
import { TaskQueue } from '../../values/task-queue.ts'
import type { Span } from '../client/downloads.ts'
import type { S3Parts } from '../context/context.ts'
import { Filling } from './filling.ts'
import { PartSender } from './part-sender.ts'
import { endOffset, NO_PIECES, type Pieces } from './pieces.ts'

/** The last two steps of joining parts to an object. */
interface FinalSteps {
  /** Called when S3 has all parts, before they are joined to an object. */
  announce(): Promise<void>
  /** Calls `complete`, which joins the parts to an object, and returns its result. */
  complete(complete: () => Promise<Span>): Promise<Span>
}

const UNNAMED: FinalSteps = { announce: async () => {}, complete: (complete) => complete() }

/**
 * Collects the bytes of an upload into parts. A pause stores the rest, if it is less than a part, as a small object (a
 * tail). The tail becomes the beginning of the next part, and no other stored byte is written again.
 */
export class Assembly {
  readonly #context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget' | 'leftovers' | 'partSize'>
  readonly #filling: Filling
  readonly #sender: PartSender
  readonly #obsolete: string[] = []
  readonly #queue = new TaskQueue()
  /** Bytes from this offset on may be discarded. */
  hold: number | null = null
  /** Called with the name of an object before bytes are sent to it. */
  onBlob: (name: string) => void = () => {}
  /** Called when S3 has stored a part. */
  onPart: () => void = () => {}

  constructor(
    context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget' | 'leftovers' | 'partSize'>,
    { id, fence, expected }: { readonly id: string; readonly fence: string; readonly expected: number },
    pieces: Pieces = NO_PIECES,
  ) {
    this.#context = context
    const onBlob = (name: string) => this.onBlob(name)
    this.#sender = new PartSender(context, { expected, onBlob, onPart: () => this.onPart() }, pieces)
    const tailName = (offset: number) => context.names.tail(id, offset, fence)
    const spill = () => void this.spill().catch((error) => this.fail(error))
    this.#filling = new Filling(context, { tailName, spill }, this.#sender.end, pieces.tails)
  }

  /** The number of accepted bytes. */
  get end(): number {
    return this.#filling.end
  }

  get hasParts(): boolean {
    return this.#sender.hasParts
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#queue.run(async () => {
      for (let at = 0; at < bytes.length; ) {
        this.#sender.check()
        const size = this.#sender.nextSize
        // A tail from a joined object may be longer than a part.
        if (!this.#filling.isFull(size)) at += await this.#filling.add(bytes.subarray(at), size)
        if (this.#filling.isFull(size)) await this.#send(size)
      }
    })
  }

  #send(size: number): Promise<void> {
    return this.#sender.send(size, () => this.#filling.take(size, this.hold))
  }

  /** Stores the bytes in memory as an object, and releases the memory. */
  spill(): Promise<void> {
    return this.#queue.run(() => this.#filling.spill(this.hold))
  }

  /** Resolves when S3 has stored all sent parts. */
  settle(): Promise<void> {
    return this.#queue.run(() => this.#sender.settle())
  }

  /** Rejects every call that waits for parts, and every later write. */
  fail(error: unknown): void {
    this.#sender.fail(error)
  }

  /** Discards the bytes from `offset` on. Call after `settle`. */
  cutTo(offset: number): void {
    const first = this.#sender.cutTo(offset)
    if (first === undefined) this.#filling.cutTo(offset)
    else this.#filling.restart(first.start, first.tails, offset)
  }

  /** Returns the stored pieces up to the first gap or held byte, and the offset that they reach. */
  pieces(): Pieces & { readonly offset: number } {
    const { isAll, ...sent } = this.#sender.pieces(this.hold)
    const tails = isAll && this.hold === null ? this.#filling.tails : []
    return { ...sent, tails, offset: endOffset({ parts: sent.parts, tails }) }
  }

  /** Records that the first `count` parts are in the manifest, and removes the tails that were copied into them. */
  recorded(count: number): void {
    const folded = this.#sender.recorded(count)
    // A tail that is longer than a part is still needed.
    const needed = new Set(this.#filling.tails.map(({ name }) => name))
    this.#context.leftovers.removeObjects(folded.map(({ name }) => name).filter((name) => !needed.has(name)))
  }

  /** Joins all bytes to one object, and returns its span. */
  async finalise(steps: FinalSteps = UNNAMED): Promise<Span> {
    await this.settle()
    const blob = await this.#queue.run(() => this.#finalise(steps))
    this.#obsolete.push(...this.#objects().filter((name) => name !== blob.name))
    this.#restart([blob])
    return blob
  }

  /** Removes the objects that were joined to another one. Call when the manifest no longer names them. */
  tidy(): void {
    this.#context.leftovers.removeObjects(this.#obsolete.splice(0))
  }

  #restart(tails: readonly Span[]): void {
    this.#sender.restart()
    this.#filling.restart(0, tails)
  }

  async #finalise({ announce, complete }: FinalSteps): Promise<Span> {
    const whole = this.hasParts ? null : this.#filling.whole()
    if (whole !== null) return whole
    await this.#removeStrays()
    for (let size = this.#sender.nextSize; this.#filling.isFull(size); size = this.#sender.nextSize) {
      await this.#send(size)
    }
    if (!this.hasParts) return this.#putWhole()
    const rest = this.end - this.#sender.end
    if (rest > 0) await this.#send(rest)
    await this.#sender.settle()
    await announce()
    return complete(() => this.#sender.complete())
  }

  /** Stores an upload of less than a part as an object, without a multipart upload. */
  async #putWhole(): Promise<Span> {
    const name = this.#sender.newBlob()
    const end = this.end - 1
    const tag = await this.#filling.all((bytes) => this.#context.bucket.put(name, bytes))
    return { name, tag, start: 0, end }
  }

  /**
   * Ceph cannot complete an upload that has a part which the request does not name, and parts cannot be removed. So if
   * S3 has such parts after those of this upload, joins all parts to an object, and uses only the beginning of it.
   */
  async #removeStrays(): Promise<void> {
    const parts = await this.#sender.withStrays()
    if (parts === null) return
    await this.#filling.spill(null)
    const ours = await this.#sender.gather(parts)
    this.#restart([...ours, ...this.#filling.tails])
  }

  /** Removes all stored bytes. Call after `settle` has resolved or rejected. */
  discard(): void {
    this.#context.leftovers.removeObjects([...this.#objects(), ...this.#obsolete])
    this.#sender.discard()
  }

  /** Releases the memory; sent bytes are kept. */
  async close(): Promise<void> {
    this.fail(new StoreError('ABORTED', 'The upload has ended.'))
    await this.#queue.run(async () => this.#filling.drop())
  }

  #objects(): readonly string[] {
    return [...this.#sender.tails, ...this.#filling.tails].map(({ name }) => name)
  }
}
