import type { StoredObject, UploadSession } from 'upload-store'
import { RefusedError, wrongLength } from '../errors.ts'
import type { Exchange, Known } from './exchange.ts'
import { giveUp } from './give-up.ts'
import { callOnCommitted, callOnComplete } from './hooks.ts'
import { isPartialUpload } from './reserved-metadata.ts'
import { toRefusal } from './to-refusal.ts'

/** Statuses of 4xx after which the same request may succeed. */
const RETRIABLE = new Set([401, 403, 408, 409, 421, 423, 425, 429])

/** Publishes an upload that has all its bytes. Returns `null` if that fails: then the request is answered with a refusal. */
export async function complete(
  exchange: Exchange,
  session: UploadSession,
  known: Known,
): Promise<StoredObject | null> {
  const { ctx, settings } = exchange
  const { key, metadata } = session
  try {
    // What was allowed at the creation may not be allowed any more (§13).
    await settings.authorize(ctx, 'complete', { key, metadata })
    const object = await commit(exchange, session)
    await callOnCommitted(settings.hooks, ctx, object, metadata)
    return object
  } catch (error) {
    await giveUp(exchange, session, error, { ...known, offset: session.offset })
    return null
  }
}

async function commit({ ctx, settings }: Exchange, session: UploadSession): Promise<StoredObject> {
  try {
    await callOnComplete(settings.hooks, ctx, session, session.metadata)
    return await settings.commit(ctx, session)
  } catch (error) {
    const refusal = error instanceof Error && error.name === 'StoreError' ? null : toRefusal(error)
    if (refusal === null || refusal.status >= 500 || RETRIABLE.has(refusal.status)) throw error
    throw new RefusedError({ ...refusal, final: true }, { fatal: true })
  }
}

/** What is to be said of content that has come in. */
export interface Received {
  /** Of the whole upload, `null` where that is not known. */
  readonly length: number | null
  /** Whether the client says that nothing comes after it. */
  readonly last: boolean
  /** The status of a response to a part after which the upload continues. */
  readonly status: 201 | 204
  /** The URL of the upload, where the client may not know it. */
  readonly location?: string | undefined
}

/** Publishes the upload if it is complete and answers with the object; otherwise answers with the offset. */
export async function conclude(
  exchange: Exchange,
  session: UploadSession,
  received: Received,
): Promise<void> {
  const { length, last, status, location } = received
  const reached = session.offset === length && !isPartialUpload(session.metadata)
  if (last ? length === null || reached : reached && exchange.lengthCompletes) {
    const { metadata } = session
    const object = await complete(exchange, session, { length, location })
    if (object !== null) await exchange.answerCommitted(object, metadata, location)
    return
  }
  const offset = await session.pause()
  const known = { offset, length, location }
  if (last) {
    const detail = `The upload has ${length} bytes, but this request ended it at ${offset}. Send the remaining bytes.`
    exchange.answerRefusal(wrongLength(detail), known)
  } else exchange.answerUnfinished(status, known)
}
