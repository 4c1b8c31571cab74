import { StoreError } from '../../contract/store-error.ts'
import { TaskQueue } from '../../values/task-queue.ts'
import type { Span } from '../client/downloads.ts'
import type { S3Parts } from '../context/context.ts'
import { Filling } from './filling.ts'
import { PartSender } from './part-sender.ts'
import { endOffset, NO_PIECES, type Pieces } from './pieces.ts'

/** The last two steps of making an object of parts. */
interface FinalSteps {
  /** Called when S3 has all parts, before they become an object. */
  announce(): Promise<void>
  /** Calls `complete`, which makes the parts an object, and returns its result. */
  complete(complete: () => Promise<Span>): Promise<Span>
}

const UNNAMED: FinalSteps = { announce: async () => {}, complete: (complete) => complete() }

/**
 * Makes parts of what comes, and objects of what is less than a part when an upload is paused: those go into the next part,
 * and nothing that is there is written again.
 */
export class Assembly {
  readonly #context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget' | 'leftovers' | 'partSize'>
  readonly #filling: Filling
  readonly #sender: PartSender
  readonly #obsolete: string[] = []
  readonly #queue = new TaskQueue()
  /** Bytes from here on may be taken back. */
  hold: number | null = null
  /** Called with the name of an object that bytes are about to go to. */
  onBlob: (name: string) => void = () => {}
  /** Called when a part is there. */
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

  /** How many bytes have come. */
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
        // A tail that was an object of its own may be longer than a part.
        if (!this.#filling.isFull(size)) at += await this.#filling.add(bytes.subarray(at), size)
        if (this.#filling.isFull(size)) await this.#send(size)
      }
    })
  }

  #send(size: number): Promise<void> {
    return this.#sender.send(size, () => this.#filling.take(size, this.hold))
  }

  /** Makes an object of what is in memory, and gives that back. */
  spill(): Promise<void> {
    return this.#queue.run(() => this.#filling.spill(this.hold))
  }

  /** Resolves when all parts that were sent are there. */
  settle(): Promise<void> {
    return this.#queue.run(() => this.#sender.settle())
  }

  /** Ends whatever waits for parts, and every write after it. */
  fail(error: unknown): void {
    this.#sender.fail(error)
  }

  /** Takes back what came from `offset` on, which is held. Call when all is settled. */
  cutTo(offset: number): void {
    const first = this.#sender.cutTo(offset)
    if (first === undefined) this.#filling.cutTo(offset)
    else this.#filling.restart(first.start, first.tails, offset)
  }

  /** What is there without a gap, and the offset that it reaches; nothing that may be taken back. */
  pieces(): Pieces & { readonly offset: number } {
    const { isAll, ...sent } = this.#sender.pieces(this.hold)
    const tails = isAll && this.hold === null ? this.#filling.tails : []
    return { ...sent, tails, offset: endOffset({ parts: sent.parts, tails }) }
  }

  /** Tells that the first `count` parts are in the manifest: what they were made of is not needed any more. */
  told(count: number): void {
    const folded = this.#sender.told(count)
    // What was longer than a part is still read.
    const needed = new Set(this.#filling.tails.map(({ name }) => name))
    this.#context.leftovers.removeObjects(folded.map(({ name }) => name).filter((name) => !needed.has(name)))
  }

  /** Makes one object of all bytes, and returns its place. */
  async finalise(steps: FinalSteps = UNNAMED): Promise<Span> {
    await this.settle()
    const blob = await this.#queue.run(() => this.#finalise(steps))
    this.#obsolete.push(...this.#objects().filter((name) => name !== blob.name))
    this.#restart([blob])
    return blob
  }

  /** Removes what the object was made of. Call when no manifest names that any more. */
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

  /** Less than a part needs no multipart upload. */
  async #putWhole(): Promise<Span> {
    const name = this.#sender.newBlob()
    const end = this.end - 1
    const tag = await this.#filling.all((bytes) => this.#context.bucket.put(name, bytes))
    return { name, tag, start: 0, end }
  }

  /**
   * Ceph completes no upload of which it has a part that is not asked for, and no part can be removed. So where there is one
   * behind ours, all become an object, whose beginning is read once more.
   */
  async #removeStrays(): Promise<void> {
    const parts = await this.#sender.withStrays()
    if (parts === null) return
    await this.#filling.spill(null)
    const ours = await this.#sender.gather(parts)
    this.#restart([...ours, ...this.#filling.tails])
  }

  /** Removes all that is there. Call when all is settled, or has failed. */
  discard(): void {
    this.#context.leftovers.removeObjects([...this.#objects(), ...this.#obsolete])
    this.#sender.discard()
  }

  /** Lets go of the memory; what was sent stays. */
  async close(): Promise<void> {
    this.fail(new StoreError('ABORTED', 'The upload has ended.'))
    await this.#queue.run(async () => this.#filling.drop())
  }

  #objects(): readonly string[] {
    return [...this.#sender.tails, ...this.#filling.tails].map(({ name }) => name)
  }
}
