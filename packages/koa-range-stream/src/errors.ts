/** The codes of the errors that this package throws, or destroys a response stream with. The README lists them. */
type ContentErrorCode =
  /**
   * The file is not the one that the response was planned for.
   * When: it was changed, replaced or deleted after its `stat`. `rangeStream` plans again, twice at most.
   * Remedy: retry the request; replace files by renaming new ones over them.
   */
  | 'CONTENT_CHANGED'
  /**
   * The stream of a content cannot be read.
   * When: it was destroyed, or read to its end, before the response began.
   * Remedy: return a new, unread stream from each call of `stream`.
   */
  | 'CONTENT_CLOSED'
  /**
   * The content has fewer bytes than its `size`, or than the Content-Length that the app has set.
   * When: a file was truncated while it was sent, or the stream of a content ended early.
   * Remedy: correct `size`; do not truncate files in place.
   */
  | 'CONTENT_TRUNCATED'
  /**
   * The client closed the connection while its response was prepared.
   * When: a player seeks, or a page is left.
   * Remedy: none is needed; do not log it as an error.
   */
  | 'ECONNRESET'
  /**
   * The middleware was mounted without its call, so every request fails.
   * When: `app.use(rangeStream)`.
   * Remedy: `app.use(rangeStream())`.
   */
  | 'MOUNTED_WITHOUT_CALL'

/** The codes of the process warnings about mistakes in the app. */
export type WarningCode =
  /**
   * A file was set as the body too late for ranges.
   * When: koa-static with `defer: true`, or similar middleware, is above `rangeStream()`.
   * Remedy: mount `rangeStream()` above it.
   */
  | 'BODY_SET_ABOVE'
  /**
   * An ETag was set too late for If-Match, If-Range and HEAD.
   * When: koa-etag, or similar middleware, is above `rangeStream()`.
   * Remedy: mount `rangeStream()` above it.
   */
  | 'ETAG_SET_ABOVE'
  /**
   * The `root` of `fileContent` does not exist.
   * When: the directory is missing, or the option is wrong.
   * Remedy: create it, or correct the option.
   */
  | 'MISSING_ROOT'
  /**
   * An ETag matches no request.
   * When: the app, or a content, gives an entity-tag without quotes.
   * Remedy: quote it: `'"v1"'`.
   */
  | 'UNQUOTED_ETAG'

function coded<E extends Error>(error: E, code: ContentErrorCode): E {
  return Object.assign(error, { code })
}

export function contentChanged(path: string): Error {
  const message = `${path} was changed, replaced or deleted while the response was prepared. Retry the request.`
  return coded(new Error(message), 'CONTENT_CHANGED')
}

export function isContentChanged(error: unknown): boolean {
  return textOf(error, 'code') === 'CONTENT_CHANGED'
}

/** Returns a text property of an error, or ''. Not by `instanceof`: under Jest, errors of Node's modules are of another realm. */
export function textOf(error: unknown, property: 'code' | 'syscall'): string {
  if (typeof error !== 'object' || error === null) return ''
  const value: unknown = Reflect.get(error, property)
  return typeof value === 'string' ? value : ''
}

export function contentClosed(): Error {
  const message =
    'The stream of the content was destroyed or read before the response. Return an unread stream.'
  return coded(new Error(message), 'CONTENT_CLOSED')
}

/** @param missing how many bytes of the response, or before its range, the content lacks */
export function contentTruncated(missing: number): Error {
  const message = `The content ended ${missing} bytes early. Its size is wrong, or it was truncated while it was read.`
  return coded(new Error(message), 'CONTENT_TRUNCATED')
}

export function clientGone(): Error {
  return coded(new Error('The client closed the connection.'), 'ECONNRESET')
}

export function mountedWithoutCall(): TypeError {
  const message = 'app.use(rangeStream) lacks the call: app.use(rangeStream())'
  return coded(new TypeError(message), 'MOUNTED_WITHOUT_CALL')
}

const warned = new Set<WarningCode>()

/** Reports a mistake in the app by one process warning, because each request would repeat it. */
export function warnOnce(code: WarningCode, message: string): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'KoaRangeStreamWarning', code })
}
