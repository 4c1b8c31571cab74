/**
 * The codes of a `StoreError`: what each means, when it occurs, and the remedy. `uploadErrorStatus` has the HTTP status of
 * each, because a store knows no HTTP. ERRORS.md has the same list for users; a test compares the two.
 */
export type StoreErrorCode =
  /**
   * The session, or the store, has ended before the call.
   * When: it was paused, aborted, committed or resumed by another writer, or the store was closed.
   * Remedy: resume the upload with `resumeUpload(id)`, or create a new one.
   */
  | 'ABORTED'
  /**
   * Stored bytes, or what the store knows of them, are damaged.
   * When: an entry was changed, truncated or removed from outside the store.
   * Remedy: store the object again or delete it; see DAMAGE.md.
   */
  | 'CORRUPT'
  /**
   * The content has another sha-256 than its creator declared.
   * When: `seal()` or `put` finds that the digest differs from `CreateOptions.digest`.
   * Remedy: send the content again, or correct the digest.
   */
  | 'DIGEST_MISMATCH'
  /**
   * The key is not allowed.
   * When: it is empty, longer than 255 bytes, or has a slash, a control character or a lone surrogate.
   * Remedy: make a key of a file name with `sanitizeKey(name)`.
   */
  | 'INVALID_KEY'
  /**
   * There is no room for the upload.
   * When: `maxTotalSize`, a quota, the disk's free space or its free files would be exceeded.
   * Remedy: delete objects or add space, then retry.
   */
  | 'NO_SPACE'
  /**
   * The object of a `StoredContent` no longer exists.
   * When: it was replaced or deleted between `get` and `stream`.
   * Remedy: call `get` again.
   */
  | 'NOT_FOUND'
  /**
   * The bytes do not continue the upload.
   * When: the offset of `append` differs from the offset of the session.
   * Remedy: append at `session.offset`.
   */
  | 'OFFSET_MISMATCH'
  /**
   * A condition of `CommitOptions` does not hold.
   * When: the key holds an object despite `ifNoneMatch`, or another object than `ifMatch` names.
   * Remedy: call `get`, decide, and retry with the current entity-tag.
   */
  | 'PRECONDITION_FAILED'
  /**
   * The object is too large.
   * When: it has more bytes than `maxFileSize`, or than S3 accepts in one object.
   * Remedy: send a smaller file, or raise `maxFileSize`.
   */
  | 'TOO_LARGE'
  /**
   * The disk or bucket cannot be used at present.
   * When: it cannot be reached, is read-only, or another process holds the upload or key and does not respond.
   * Remedy: retry later; `cause` has the reason for the operator.
   */
  | 'UNAVAILABLE'
  /**
   * The store cannot do this at a reasonable cost.
   * When: `list` with `contains` or another order than `key` would have to read too many objects of a bucket.
   * Remedy: list in the order of keys, or narrow the list by `prefix` or `contains`.
   */
  | 'UNSUPPORTED'
  /**
   * The media type is not accepted.
   * When: the detected type, or else the declared one, matches no entry of `accept`.
   * Remedy: send a file of an accepted type, or extend `accept`.
   */
  | 'UNSUPPORTED_TYPE'

/**
 * The error of a store that rejects a call. `code` says why; `message` gives the value and is fit for a client.
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

/**
 * Returns the error for a source whose first bytes have been read by other code. It is a mistake of the app, so it is no
 * `StoreError` and has no HTTP status.
 *
 * When: a body parser above the upload route, or the caller, has read from the source before the store.
 * Remedy: pass an unread stream; to store the rest of a stream, pass an async generator over it.
 */
export function sourceConsumed(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_SOURCE_CONSUMED' })
}

/**
 * Returns the error for a form that has no file in the expected field. Koa and Express respond with its status; the client
 * sees the message.
 *
 * When: `storedFile` gets no file.
 * Remedy: send multipart/form-data with a file in the field that the route names.
 */
export function missingFile(): Error {
  const message =
    'The form has no file. Send multipart/form-data with a file in the field that the route expects.'
  return Object.assign(new Error(message), { code: 'MISSING_FILE', status: 422, expose: true })
}
