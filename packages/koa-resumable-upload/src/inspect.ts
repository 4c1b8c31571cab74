import { type KnownUpload, StoreError, type UploadState } from 'upload-store'
import { answerRefusal, type Exchange, refusalOf } from './answer.ts'
import { terminate } from './connection.ts'
import type { UploadAction } from './options.ts'
import { unknownUpload } from './refusal.ts'

const ID = /^[\w-]{22}$/
/** Other processes may ask at the same time. */
const TRIES = 6

/** What the upload was created for, if the client may do what it is about to; `null`: it is answered. */
export async function findFor(
  exchange: Exchange,
  id: string,
  action: UploadAction,
): Promise<KnownUpload | null> {
  const { ctx, settings } = exchange
  const found = ID.test(id) ? await settings.store.peek(id) : null
  if (found === null) answerRefusal(exchange, unknownUpload())
  else await settings.authorize(ctx, action, { key: found.key, meta: found.meta })
  return found
}

/** The same, and ends whoever writes the upload: nobody may who is not allowed to go on with it. */
export async function inspectFor(
  exchange: Exchange,
  id: string,
  action: UploadAction,
): Promise<UploadState | null> {
  const { store } = exchange.settings
  if ((await findFor(exchange, id, action)) === null) return null
  const state = await asNewest(() => store.inspect(id))
  if (state === null) answerRefusal(exchange, unknownUpload())
  return state
}

/**
 * Does what ends those who came before, again where somebody comes in between.
 *
 * @throws StoreError ABORTED where others came after us each time
 */
export async function asNewest<T>(task: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'ABORTED' || tried === TRIES) throw error
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
