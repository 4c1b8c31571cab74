/** Why a store refused; names no HTTP status, so that any protocol can sit in front. */
export type StoreErrorCode =
  | 'ABORTED'
  | 'CORRUPT'
  | 'DIGEST_MISMATCH'
  | 'INVALID_KEY'
  | 'NO_SPACE'
  | 'NOT_FOUND'
  | 'OFFSET_MISMATCH'
  | 'PRECONDITION_FAILED'
  | 'TOO_LARGE'
  | 'UNAVAILABLE'
  | 'UNSUPPORTED_TYPE'

/**
 * What a store throws when it refuses; `code` tells why, `message` names the value and is fit for a client.
 *
 * @example
 * if (error instanceof StoreError && error.code === 'TOO_LARGE') ctx.throw(413, error.message)
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
