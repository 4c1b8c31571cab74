import { ReadableStream } from 'node:stream/web'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { expectBody } from './request-body.ts'
import { type Slots, takeSlot } from './slots.ts'

export interface LazyContent {
  readonly stream: ReadableStream<Uint8Array>
  /** Rejects where there is no slot or no space for it, or when it comes too slowly. */
  readonly failed: Promise<never>
  /** Call when nobody reads on: gives the slot back. */
  end(): void
}

/**
 * The content of a request, which asks for a slot and says 100 only when somebody reads it: what can be refused by its header
 * section is, and a newer request ends the one that holds the slot before it asks for one.
 *
 * @param maxLength bytes
 */
export function lazyContent(
  ctx: Koa.Context,
  store: UploadStore,
  slots: Slots,
  maxLength: number,
): LazyContent {
  let held = false
  let ended = false
  let fail: (reason: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Nobody may be waiting.
  failed.catch(() => {})

  async function begin(): Promise<void> {
    await takeSlot(slots)
    held = true
    if (ended) {
      end()
      throw new Error('The request was answered while it waited for a slot.')
    }
    const { tooSlow } = await expectBody(ctx, store, maxLength)
    tooSlow.catch(fail)
  }

  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      await begin()
    } catch (error) {
      fail(error)
      throw error
    }
    // A refusal in mid-body must not destroy the request: its answer goes out on the same socket.
    yield* ctx.req.iterator({ destroyOnReturn: false })
  }

  const reading = chunks()

  function end(): void {
    ended = true
    if (held) slots.free()
    held = false
    reading.return(undefined).catch(() => {})
  }

  return { stream: ReadableStream.from(reading), failed, end }
}
