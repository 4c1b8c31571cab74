import type { StoredObject, UploadSession } from 'upload-store'
import { answerCommitted, type Exchange, type Known, refusalOf } from './answer.ts'
import { giveUp } from './receive.ts'
import { RefusedError } from './refusal.ts'

/** Statuses of 4xx after which the same request may succeed. */
const RETRIABLE = new Set([401, 403, 408, 409, 421, 423, 425, 429])

/** Publishes an upload whose bytes are all there; `null` where that failed: then it is answered. */
export async function complete(
  exchange: Exchange,
  session: UploadSession,
  known: Known,
): Promise<StoredObject | null> {
  const { ctx, settings } = exchange
  const { key, meta } = session
  try {
    // What was allowed when the upload began may not be any more (§13).
    await settings.authorize(ctx, 'complete', { key, meta })
    return await commit(exchange, session)
  } catch (error) {
    await giveUp(exchange, session, error, { ...known, offset: session.offset })
    return null
  }
}

async function commit({ ctx, settings }: Exchange, session: UploadSession): Promise<StoredObject> {
  try {
    return await settings.commit(ctx, session)
  } catch (error) {
    const refusal = error instanceof Error && error.name === 'StoreError' ? null : refusalOf(error)
    if (refusal === null || refusal.status >= 500 || RETRIABLE.has(refusal.status)) throw error
    throw new RefusedError({ ...refusal, final: true }, { fatal: true })
  }
}

/** Publishes, and answers with what it became. */
export async function completeAndAnswer(
  exchange: Exchange,
  session: UploadSession,
  known: Known,
): Promise<void> {
  const { meta } = session
  const object = await complete(exchange, session, known)
  if (object !== null) await answerCommitted(exchange, object, meta, known.location)
}
