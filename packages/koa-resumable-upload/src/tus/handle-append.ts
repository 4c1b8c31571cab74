import { append } from '../core/append.ts'
import type { Exchange } from '../core/exchange.ts'
import { interruptFor } from '../core/find-upload.ts'
import { uploadLength } from '../core/reserved-metadata.ts'
import { malformed, notOffsetStream, RefusedError } from '../errors.ts'
import { decideAppend } from './decide-append.ts'
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
  const { committed, metadata } = state
  const decision = decideAppend(
    { offset: request.offset, length: request.length, contentLength },
    {
      offset: committed?.size ?? state.offset,
      length: committed?.size ?? uploadLength(metadata),
      isCommitted: committed !== null,
    },
    settings.limits,
  )
  if (decision.kind === 'refuse')
    exchange.answerRefusal(decision.refusal, { offset: committed?.size ?? state.offset })
  else if (decision.kind === 'append')
    await append(exchange, state, { ...decision, last: false, status: 204 })
  else if (committed !== null) await exchange.answerCommitted(committed, metadata)
}
