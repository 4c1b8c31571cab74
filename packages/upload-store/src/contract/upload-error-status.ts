import type { StoreErrorCode } from './store-error.ts'

const STORE_STATUS: Readonly<Record<StoreErrorCode, number>> = {
  ABORTED: 409,
  CORRUPT: 500,
  DIGEST_MISMATCH: 400,
  INVALID_KEY: 400,
  NOT_FOUND: 404,
  NO_SPACE: 507,
  OFFSET_MISMATCH: 409,
  PRECONDITION_FAILED: 412,
  TOO_LARGE: 413,
  UNAVAILABLE: 503,
  UNSUPPORTED: 501,
  UNSUPPORTED_TYPE: 415,
}

/** multer's, by its own codes: 413 where there is too much of something, 400 where the form is not well made. */
const MULTER_STATUS: Readonly<Record<string, number>> = {
  INVALID_FIELD_NAME: 400,
  LIMIT_FIELD_ARRAY_INDEX: 400,
  LIMIT_FIELD_COUNT: 413,
  LIMIT_FIELD_KEY: 400,
  LIMIT_FIELD_NESTING: 400,
  LIMIT_FIELD_VALUE: 413,
  LIMIT_FILE_COUNT: 413,
  LIMIT_FILE_SIZE: 413,
  LIMIT_PART_COUNT: 413,
  LIMIT_UNEXPECTED_FILE: 400,
  MISSING_FIELD_NAME: 400,
}

/** The beginning of the message; the type follows. */
const UNKNOWN_TYPE = 'Unsupported content type'

/** busboy's messages, which multer passes on: it has no codes. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  'Malformed content type': 400,
  'Malformed part header': 400,
  'Missing Content-Type': 415,
  'Multipart: Boundary not found': 400,
  'Unexpected end of file': 400,
  'Unexpected end of form': 400,
  [UNKNOWN_TYPE]: 415,
}

/**
 * The HTTP status that an error of a store, of multer or of its parser stands for, or `null`.
 *
 * Known by name, code and message alone, so that it takes errors of any copy of those libraries. `null` is what it does not
 * know, and also a client that went away in mid-upload (multer's `Request aborted`, `Request closed`, STREAM_DESTROYED):
 * no client is left to read the response.
 *
 * @see RFC 9110 §15.5, RFC 4918 §11.5 (507)
 * @example
 * app.use((error, request, response, next) => {
 *   const status = uploadErrorStatus(error)
 *   if (status === null) return next(error)
 *   response.status(status).json({ title: error.message, status })
 * })
 */
export function uploadErrorStatus(error: unknown): number | null {
  const [name, code, message] = [textOf(error, 'name'), textOf(error, 'code'), textOf(error, 'message')]
  if (name === 'StoreError') return lookUp(STORE_STATUS, code)
  if (name === 'MulterError') return lookUp(MULTER_STATUS, code)
  if (name !== 'Error') return null
  if (code === 'MISSING_FILE') return 422
  return lookUp(PARSER_STATUS, message.startsWith(UNKNOWN_TYPE) ? UNKNOWN_TYPE : message)
}

function textOf(error: unknown, property: string): string {
  const value: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, property) : undefined
  return typeof value === 'string' ? value : ''
}

function lookUp(table: Readonly<Record<string, number>>, key: string): number | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null
}
