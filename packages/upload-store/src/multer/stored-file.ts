import { missingFile } from '../contract/store-error.ts'
import type { SealedUpload, UploadSession } from '../contract/upload-session.ts'

/** The sealed upload that the engine adds to multer's file. Only `session.commit()` publishes it. */
export interface StoredFile extends SealedUpload {
  readonly session: UploadSession
}

/**
 * Returns the sealed upload of a file that multer received through `multerStorage`. multer's types do not have it.
 *
 * @param file `ctx.file` of @koa/multer, `req.file` of multer, or one of `files`
 * @throws Error with the code `MISSING_FILE`, and with the status 422 for Koa and Express, if the form has no file
 * @throws TypeError if another storage engine received the file
 * @example
 * const { size, digest, session } = storedFile(ctx.file)
 * await session.commit()
 */
export function storedFile(file: unknown): StoredFile {
  if (file === undefined || file === null) throw missingFile()
  if (isStored(file)) return file
  throw new TypeError(
    'The file has no upload session. Pass multerStorage(store) to multer as `storage`, and a single file to storedFile().',
  )
}

export function isStored(file: unknown): file is StoredFile {
  return typeof file === 'object' && file !== null && 'session' in file
}
