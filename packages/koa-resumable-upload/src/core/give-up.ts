import { StoreError, type UploadSession } from 'upload-store'
import { RefusedError } from '../errors.ts'
import { isClientGone, terminate } from '../http/connection.ts'
import { isFinal } from '../http/retry-as-newest.ts'
import type { Exchange, Known } from './exchange.ts'
import { toRefusal } from './to-refusal.ts'

/**
 * Answers an error in the middle of an upload. Pauses the upload so that the client can resume it, or aborts it if the
 * received bytes are useless.
 *
 * @throws the error, if it is unexpected
 */
export async function giveUp(
  exchange: Exchange,
  session: UploadSession | null,
  error: unknown,
  known: Known,
  reachable = true,
): Promise<void> {
  const { ctx } = exchange
  if (error instanceof StoreError && error.code === 'ABORTED') {
    // Another request has resumed or removed the upload. This one is stale; closing it lets the other proceed.
    terminate(ctx)
    await session?.pause().catch(() => {})
    return
  }
  const gone = isClientGone(ctx)
  const final = isFinal(error)
  const isLost = !reachable && (gone || !exchange.locatesRefused)
  const fatal = final || isLost || (error instanceof RefusedError && error.fatal)
  const offset = fatal ? undefined : await session?.pause().catch(() => undefined)
  if (fatal) await session?.abort().catch(() => {})
  if (gone) {
    ctx.respond = false
    return
  }
  const refusal = toRefusal(error)
  if (refusal === null) throw error
  const told = fatal ? {} : { ...known, ...(offset === undefined ? {} : { offset }) }
  exchange.answerRefusal(final ? { ...refusal, final } : refusal, told)
}
