import { StoreError, type UploadSession, type UploadState } from 'upload-store'
import { answerCommitted, answerRefusal, type Exchange } from '../draft/answer.ts'
import { type AppendDecision, decideAppend } from '../draft/decide-append.ts'
import { RefusedError, unknownUpload, wrongOffset } from '../draft/refusal.ts'
import { lengthOf, withLength } from '../draft/upload-length.ts'
import { asNewest } from '../http/retry-as-newest.ts'
import { conclude } from './complete.ts'
import { interruptFor } from './find-upload.ts'
import { receive } from './receive.ts'

/** Answers PATCH of an upload (§4.4). */
export async function append(exchange: Exchange, id: string): Promise<void> {
  const { settings, request } = exchange
  const state = await interruptFor(exchange, id, 'append')
  if (state === null) return
  const { offset, metadata, committed, expires } = state
  const length = committed?.size ?? lengthOf(metadata)
  const progress = { offset: committed?.size ?? offset, length, committed: committed !== null }
  const decision = decideAppend(request, progress, settings.limits)
  if (decision.kind === 'refuse' && decision.fatal) {
    await asNewest(() => settings.store.deleteUpload(id))
    answerRefusal(exchange, decision.refusal)
  } else if (decision.kind === 'refuse')
    answerRefusal(exchange, decision.refusal, { offset: progress.offset, expires })
  else if (decision.kind === 'append') await goOn(exchange, state, decision)
  else if (committed !== null) await answerCommitted(exchange, committed, metadata)
}

async function goOn(
  exchange: Exchange,
  state: UploadState,
  { offset, length, last }: AppendDecision & { readonly kind: 'append' },
): Promise<void> {
  const { request } = exchange
  const known = { length, offset }
  const open = () => reopen(exchange, state, offset, length)
  const session = await receive(exchange, { open, offset, length, known: () => known, reachable: () => true })
  if (session === null) return
  await conclude(exchange, session, { length, last, status: request.interop.appendStatus })
}

/** The upload as it was looked at, or a refusal: between the two somebody else may have gone on with it. */
async function reopen(
  { settings }: Exchange,
  { id, metadata }: UploadState,
  offset: number,
  length: number | null,
): Promise<UploadSession> {
  const session = await settings.store.resumeUpload(id)
  if (session === null) throw new RefusedError(unknownUpload())
  try {
    if (session.offset !== offset) throw new RefusedError(wrongOffset(session.offset, offset))
    if (length !== null && lengthOf(metadata) === null)
      await session.setMetadata(withLength(session.metadata, length))
    return session
  } catch (error) {
    const aborted = error instanceof StoreError && error.code === 'ABORTED'
    if (!aborted) await session.pause().catch(() => {})
    throw error
  }
}
