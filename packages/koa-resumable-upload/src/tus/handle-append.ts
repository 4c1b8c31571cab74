import { append } from '../core/append.ts'
import type { Exchange } from '../core/exchange.ts'
import { interruptFor } from '../core/find-upload.ts'
import { isPartialUpload, joinedParts, uploadLength } from '../core/reserved-metadata.ts'
import { finalUpload, malformed, notOffsetStream, RefusedError } from '../errors.ts'
import { decideAppend } from './decide-append.ts'
import { reachedOffset } from './tus-exchange.ts'
import { readTusRequest } from './tus-request.ts'

/** Answers PATCH: appends the content at Upload-Offset (tus 1.0, "PATCH"). */
export async function handleAppend(exchange: Exchange, id: string): Promise<void> {
  const { ctx, settings, contentLength } = exchange
  const request = readTusRequest(ctx)
  if (!request.hasType) throw new RefusedError(notOffsetStream())
  if (request.offset === null)
    throw new RefusedError(malformed('The request has no Upload-Offset. Send the offset of its content.'))
  // A malformed checksum is refused before anything else happens.
  exchange.contentDigest()
  const state = await interruptFor(exchange, id, 'append')
  if (state === null) return
  const { metadata } = state
  if (joinedParts(metadata) !== null) throw new RefusedError(finalUpload())
  const isPart = isPartialUpload(metadata)
  const committed = isPart ? null : state.committed
  const length = committed?.size ?? uploadLength(metadata)
  const reached = committed?.size ?? reachedOffset(state)
  const decision = decideAppend(
    { offset: request.offset, length: request.length, contentLength },
    { offset: reached, length, isComplete: committed !== null || (isPart && reached === length) },
    settings.limits,
  )
  if (decision.kind === 'refuse') exchange.answerRefusal(decision.refusal, { offset: reached })
  else if (decision.kind === 'append')
    await append(exchange, state, { ...decision, last: false, status: 204 })
  else if (committed !== null) await exchange.answerCommitted(committed, metadata)
  else exchange.answerUnfinished(204, { offset: reached, expires: state.expires })
}
