import type { UploadPart, UploadState } from 'upload-store'
import type { Exchange } from '../core/exchange.ts'
import { interruptFor } from '../core/find-upload.ts'
import { isPartialUpload, joinedParts, uploadLength } from '../core/reserved-metadata.ts'
import { malformed, RefusedError, wrongPart } from '../errors.ts'
import { isUploadId } from '../http/upload-id.ts'
import { reachedOffset } from './tus-exchange.ts'

/** In characters. The URLs of the parts are stored with the upload, and are repeated in the response to HEAD. */
const MAX_URLS = 3000

/**
 * Returns the ids of the parts that a final request names.
 *
 * @throws RefusedError 400 if they are too many, one is named twice, or one is not the URL of an upload here
 */
export function readPartIds({ settings }: Exchange, urls: readonly string[]): readonly string[] {
  const { length } = urls.join(' ')
  if (length > MAX_URLS) {
    const detail = `The URLs in Upload-Concat have ${length} characters; the limit is ${MAX_URLS}. Send fewer parts.`
    throw new RefusedError(malformed(detail))
  }
  const ids = urls.map((url) => readId(url, settings.path))
  if (new Set(ids).size < ids.length)
    throw new RefusedError(malformed('Upload-Concat has a part twice. Name each part once.'))
  return ids
}

/** A URL may be absolute or a path; which name the client has for this server does not matter. */
function readId(url: string, path: string): string {
  const { pathname } = URL.canParse(url, 'http://localhost')
    ? new URL(url, 'http://localhost')
    : { pathname: '' }
  const id = pathname.startsWith(`${path}/`) ? pathname.slice(path.length + 1) : ''
  if (isUploadId(id)) return id
  throw new RefusedError(wrongPart(JSON.stringify(url.slice(0, 100)), 'is not the URL of an upload here.'))
}

/**
 * Finds the parts and checks that the client may use each of them. Returns fewer states than ids if the request is answered
 * with a refusal. Once the first part has become the upload, its other parts may be gone.
 */
export async function findParts(exchange: Exchange, ids: readonly string[]): Promise<readonly UploadState[]> {
  const states: UploadState[] = []
  for (const id of ids) {
    const state = await interruptFor(exchange, id, 'concatenate')
    if (state === null) return states
    states.push(state)
    const isRepeated = states.length === 1 && isMadeOf(exchange, state, ids)
    if (isRepeated) return ids.map(() => state)
  }
  return states
}

/** Whether the upload was put together from these parts. */
export function isMadeOf(exchange: Exchange, { metadata }: UploadState, ids: readonly string[]): boolean {
  const known = joinedParts(metadata)
  return known !== null && readPartIds(exchange, known.split(' ')).join() === ids.join()
}

/**
 * Returns the part that the upload is, with its size in bytes.
 *
 * @throws RefusedError 400 if the upload is not a part, or is not complete
 */
export function completePart({ settings }: Exchange, state: UploadState): UploadPart {
  const { id, metadata, committed } = state
  const size = uploadLength(metadata)
  const url = `${settings.path}/${id}`
  if (!isPartialUpload(metadata))
    throw new RefusedError(wrongPart(url, 'is not a part. Create parts with Upload-Concat: partial.'))
  if (committed !== null)
    throw new RefusedError(wrongPart(url, 'was put into another upload. Create a new part.'))
  if (size === null || reachedOffset(state) < size)
    throw new RefusedError(wrongPart(url, 'is not complete. Send its remaining bytes first.'))
  return { id, size }
}
