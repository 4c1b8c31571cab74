import type { StoredObject, UploadState } from 'upload-store'
import { complete } from './complete.ts'
import type { Exchange } from './exchange.ts'
import { interruptFor } from './find-upload.ts'
import { isPartialUpload, uploadLength } from './reserved-metadata.ts'

interface Inspected {
  readonly state: UploadState
  /** The object that the upload has become, `null` before its commit. */
  readonly committed: StoredObject | null
}

/**
 * Finds out how far an upload has come. Stops its current writer, and commits an upload whose process was killed between the
 * last byte and the commit: a client that sees all bytes stored sends no further request. Returns `null` if the request is
 * answered with a refusal.
 */
export async function inspect(exchange: Exchange, id: string): Promise<Inspected | null> {
  const state = await interruptFor(exchange, id, 'retrieve')
  if (state === null) return null
  const { metadata, offset } = state
  const isWhole = exchange.lengthCompletes && !isPartialUpload(metadata) && offset === uploadLength(metadata)
  if (state.committed !== null || !isWhole) return { state, committed: state.committed }
  const committed = await finish(exchange, id, state)
  return committed === null ? null : { state, committed }
}

async function finish(
  exchange: Exchange,
  id: string,
  { offset, metadata }: UploadState,
): Promise<StoredObject | null> {
  const session = await exchange.settings.store.resumeUpload(id)
  if (session !== null) return complete(exchange, session, { offset, length: uploadLength(metadata) })
  // Another request has completed or removed it in the meantime.
  return (await interruptFor(exchange, id, 'retrieve'))?.committed ?? null
}
