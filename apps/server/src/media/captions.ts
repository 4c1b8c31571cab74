import createError from 'http-errors'
import type { SealedUpload, UploadSession } from 'upload-store'
import { CAPTIONS } from '../shared/video.ts'

/** Hours of talk have 200 kB; a page reads all of it at once. */
const MAX_SIZE = 1024 ** 2

/** The maximum size of an upload, in bytes, by its key: the name alone shows whether it is to be captions. */
export const maxUploadSize = (key: string, maxFileSize: number): number =>
  key.endsWith('.vtt') ? Math.min(MAX_SIZE, maxFileSize) : maxFileSize

/** @see https://www.w3.org/TR/webvtt1/#file-structure */
export function beginsCaptions(head: Uint8Array): boolean {
  return /^\ufeff?WEBVTT(?:[ \t\n\r]|$)/.test(Buffer.from(head).toString('utf8'))
}

/**
 * Seals an upload, whichever way it came.
 *
 * @throws 413 for captions that are too large, with nothing kept of them
 */
export async function sealWithinLimits(session: UploadSession): Promise<SealedUpload> {
  const sealed = await session.seal()
  if (sealed.type !== CAPTIONS || sealed.size <= MAX_SIZE) return sealed
  await session.abort()
  throw createError(
    413,
    `The captions have ${sealed.size} bytes; the limit is ${MAX_SIZE}. Send a smaller file.`,
  )
}
