import type { UploadSession } from 'upload-store'
import { answerRefusal, type Exchange, limitFieldFor } from '../draft/answer.ts'
import { sha256Of } from '../draft/content-digest.ts'
import { decideCreate } from '../draft/decide-create.ts'
import { sendInterim } from '../draft/interim.ts'
import type { UploadTarget } from '../draft/options.ts'
import { formInParts, noTarget, type Refusal } from '../draft/refusal.ts'
import { refusalOf } from '../draft/refusal-of.ts'
import { withLength } from '../draft/upload-length.ts'
import { conclude } from './complete.ts'
import { receive } from './receive.ts'

/** Answers a request that creates an upload. Returns `false` if the request is for the next middleware. */
export async function create(exchange: Exchange): Promise<boolean> {
  const { ctx, settings, request } = exchange
  const form = request.type === 'multipart/form-data'
  // Sent whole, it is an upload like any other (§4.2.2: a server may ignore the field).
  if (request.complete === null || (form && request.complete)) return false
  try {
    const target = await settings.resolveTarget(ctx)
    if (target === null) {
      // A handler that does not know the draft would take the part for the whole.
      if (!request.complete) answerRefusal(exchange, noTarget())
      return !request.complete
    }
    await settings.authorize(ctx, 'create', { key: target.key, metadata: target.metadata ?? {} })
    const digest = sha256Of(ctx.get('Repr-Digest'))
    const decision = decideCreate(request, settings.limits)
    if (form) answerRefusal(exchange, formInParts())
    else if (decision.kind === 'refuse') answerRefusal(exchange, decision.refusal)
    else await begin(exchange, target, digest, decision.length)
  } catch (error) {
    const refusal: Refusal | null = ctx.headerSent ? null : refusalOf(error)
    if (refusal === null) throw error
    answerRefusal(exchange, refusal)
  }
  return true
}

async function begin(
  exchange: Exchange,
  target: UploadTarget,
  digest: string | undefined,
  length: number | null,
): Promise<void> {
  const { settings, request } = exchange
  let location: string | undefined
  let told = false
  // Before the content is asked for.
  if (length !== null) await settings.store.checkSpace(length)
  const open = async (): Promise<UploadSession> => {
    const { key, type, metadata = {} } = target
    const expectedSize = length ?? undefined
    const session = await settings.store.createUpload(key, {
      type,
      digest,
      expectedSize,
      metadata: withLength(metadata, length),
    })
    location = `${settings.path}/${session.id}`
    told = announce(exchange, location)
    return session
  }
  const known = () => ({ location, length })
  const session = await receive(exchange, { open, offset: 0, length, known, reachable: () => told })
  if (session === null) return
  await conclude(exchange, session, { ...known(), last: request.complete === true, status: 201 })
}

/** Tells where the upload goes on, before its content has come (§5, appendix B). */
function announce(exchange: Exchange, location: string): boolean {
  const { version } = exchange.request.interop
  if (version === null) return false
  return sendInterim(exchange.ctx, {
    'Upload-Draft-Interop-Version': String(version),
    Location: location,
    'Upload-Limit': limitFieldFor(exchange),
  })
}
