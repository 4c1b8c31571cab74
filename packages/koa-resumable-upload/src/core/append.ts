import { StoreError, type UploadSession, type UploadState } from 'upload-store'
import { RefusedError, unknownUpload, wrongOffset } from '../errors.ts'
import { conclude } from './complete.ts'
import type { Exchange } from './exchange.ts'
import { receive } from './receive.ts'
import { uploadLength, withLength } from './reserved-metadata.ts'

interface Append {
  readonly offset: number
  /** Of the whole upload, `null` if it is not known yet. */
  readonly length: number | null
  /** Whether the upload is to be complete after it. */
  readonly last: boolean
  /**
   * Of a response while the upload is not complete. The final response is the app's (`respond` in `options.ts`), a refusal comes
   * from `errors.ts`, and a request that another one has superseded gets none (`give-up.ts`).
   */
  readonly status: 201 | 204
}

/** Appends the content of a request to an upload, publishes the upload if it is complete then, and responds. */
export async function append(
  exchange: Exchange,
  state: UploadState,
  { offset, length, last, status }: Append,
): Promise<void> {
  const known = { length, offset }
  const open = () => reopen(exchange, state, offset, length)
  const session = await receive(exchange, { open, offset, length, known: () => known, reachable: () => true })
  if (session === null) return
  await conclude(exchange, session, { length, last, status })
}

/** Resumes the upload, or returns a refusal if another request has changed it since it was inspected. */
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
    if (length !== null && uploadLength(metadata) === null)
      await session.setMetadata(withLength(session.metadata, length))
    return session
  } catch (error) {
    const aborted = error instanceof StoreError && error.code === 'ABORTED'
    if (!aborted) await session.pause().catch(() => {})
    throw error
  }
}
