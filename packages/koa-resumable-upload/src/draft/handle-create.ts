import { create } from '../core/create.ts'
import { findTarget } from '../core/find-upload.ts'
import { toRefusal } from '../core/to-refusal.ts'
import { formInParts, noTarget, type Refusal } from '../errors.ts'
import type { DraftExchange } from './answer.ts'
import { parseReprDigest } from './content-digest.ts'
import { decideCreate } from './decide-create.ts'
import { declared } from './upload-request.ts'

/** Answers a request that creates an upload. Returns `false` if the request is for the next middleware. */
export async function handleCreate(exchange: DraftExchange): Promise<boolean> {
  const { ctx, settings, request } = exchange
  const form = request.type === 'multipart/form-data'
  // Sent whole, it is an upload like any other (§4.2.2: a server may ignore the field).
  if (request.complete === null || (form && request.complete)) return false
  try {
    const target = await findTarget(exchange, declared(request))
    if (target === null) {
      // A handler that does not know the draft would take the part for the whole.
      if (!request.complete) exchange.answerRefusal(noTarget())
      return !request.complete
    }
    const digest = parseReprDigest(ctx.get('Repr-Digest'))
    const decision = decideCreate(request, settings.limits)
    if (form) exchange.answerRefusal(formInParts())
    else if (decision.kind === 'refuse') exchange.answerRefusal(decision.refusal)
    else await create(exchange, target, { digest, length: decision.length, last: request.complete === true })
  } catch (error) {
    const refusal: Refusal | null = ctx.headerSent ? null : toRefusal(error)
    if (refusal === null) throw error
    exchange.answerRefusal(refusal)
  }
  return true
}
