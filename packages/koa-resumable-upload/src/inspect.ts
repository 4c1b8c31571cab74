import { StoreError, type UploadState } from 'upload-store'
import { answerRefusal, type Exchange, refusalOf } from './answer.ts'
import { terminate } from './connection.ts'
import type { UploadAction } from './options.ts'
import { unknownUpload } from './refusal.ts'

const ID = /^[\w-]{22}$/
/** Other processes may ask at the same time. */
const TRIES = 6

/** Ends whoever writes the upload and tells its state, if the client may do what it is about to; `null`: it is answered. */
export async function inspectFor(
  exchange: Exchange,
  id: string,
  action: UploadAction,
): Promise<UploadState | null> {
  const { ctx, settings } = exchange
  const state = ID.test(id) ? await inspect(exchange, id) : null
  if (state === null) {
    if (ctx.respond !== false) answerRefusal(exchange, unknownUpload())
    return null
  }
  const { key, meta } = state
  await settings.authorize(ctx, action, { key, meta })
  return state
}

async function inspect({ ctx, settings }: Exchange, id: string): Promise<UploadState | null> {
  for (let tried = 1; ; tried++) {
    try {
      return await settings.store.inspect(id)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'ABORTED') throw error
      if (tried === TRIES) {
        // Others came after us each time.
        terminate(ctx)
        return null
      }
      await new Promise((resolve) => setTimeout(resolve, tried * 20 * Math.random()))
    }
  }
}

/** Answers what `handle` throws, where it is meant for the client. */
export async function answeringErrors(exchange: Exchange, handle: () => Promise<void>): Promise<void> {
  try {
    await handle()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ABORTED') {
      terminate(exchange.ctx)
      return
    }
    const refusal = exchange.ctx.headerSent ? null : refusalOf(error)
    if (refusal === null) throw error
    answerRefusal(exchange, refusal)
  }
}
