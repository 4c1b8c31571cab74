import { append } from '../core/append.ts'
import { interruptFor } from '../core/find-upload.ts'
import { uploadLength } from '../core/reserved-metadata.ts'
import { retryAsNewest } from '../http/retry-as-newest.ts'
import type { DraftExchange } from './answer.ts'
import { decideAppend } from './decide-append.ts'

/** Answers PATCH of an upload (§4.4). */
export async function handleAppend(exchange: DraftExchange, id: string): Promise<void> {
  const { settings, request } = exchange
  const state = await interruptFor(exchange, id, 'append')
  if (state === null) return
  const { offset, metadata, committed, expires } = state
  const length = committed?.size ?? uploadLength(metadata)
  const progress = { offset: committed?.size ?? offset, length, committed: committed !== null }
  const decision = decideAppend(request, progress, settings.limits)
  if (decision.kind === 'refuse' && decision.fatal) {
    await retryAsNewest(() => settings.store.deleteUpload(id))
    exchange.answerRefusal(decision.refusal)
  } else if (decision.kind === 'refuse')
    exchange.answerRefusal(decision.refusal, { offset: progress.offset, expires })
  else if (decision.kind === 'append')
    await append(exchange, state, { ...decision, status: request.interop.appendStatus })
  else if (committed !== null) await exchange.answerCommitted(committed, metadata)
}
