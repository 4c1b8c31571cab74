import { ReadableStream } from 'node:stream/web'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { expectBody } from '../../http/request-body.ts'
import { type Slots, takeSlot } from '../../uploads/slots.ts'

/**
 * The content of a request, which asks for a slot and sends 100 only when it is read: what can be refused by its header
 * section is, and a newer request ends the one that holds the slot before it asks for one.
 */
export class LazyContent {
  readonly stream: ReadableStream<Uint8Array>
  /** Rejects where there is no slot or no space for it, or when it comes too slowly. */
  readonly failed: Promise<never>
  readonly #slots: Slots
  readonly #chunks: AsyncGenerator<Uint8Array>
  #fail: (reason: unknown) => void = () => {}
  #release: (() => void) | undefined
  #ended = false

  /** @param maxLength bytes */
  constructor(ctx: Koa.Context, store: UploadStore, slots: Slots, maxLength: number) {
    this.#slots = slots
    this.#chunks = this.#read(ctx, store, maxLength)
    this.stream = ReadableStream.from(this.#chunks)
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Prevents an unhandled rejection if no caller waits for it.
    this.failed.catch(() => {})
  }

  /** Call when the content is not read any further: releases the slot. */
  end(): void {
    this.#ended = true
    this.#release?.()
    this.#release = undefined
    this.#chunks.return(undefined).catch(() => {})
  }

  async *#read(ctx: Koa.Context, store: UploadStore, maxLength: number): AsyncGenerator<Uint8Array> {
    try {
      await this.#takeSlot(ctx)
      const { tooSlow } = await expectBody(ctx, store, maxLength)
      tooSlow.catch(this.#fail)
    } catch (error) {
      this.#fail(error)
      throw error
    }
    // A refusal in mid-body must not destroy the request: its answer goes out on the same socket.
    yield* ctx.req.iterator({ destroyOnReturn: false })
  }

  async #takeSlot(ctx: Koa.Context): Promise<void> {
    this.#release = await takeSlot(this.#slots, ctx)
    if (!this.#ended) return
    this.end()
    throw new Error('The request was answered while it waited for a slot.')
  }
}
