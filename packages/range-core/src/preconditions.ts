import { parseEntityTag, parseEntityTags, strongMatch, weakMatch } from './entity-tag.ts'
import { fieldValue, lastModifiedSecond, parseHttpDate } from './field-values.ts'
import type { Representation, RequestHead } from './representation.ts'

/** The result of a request's preconditions: proceed, answer 304, or answer 412. */
export type PreconditionOutcome = 'proceed' | 'not-modified' | 'precondition-failed'

/**
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 §13.2.2.
 *
 * @param representation `null` if none exists yet, e.g. before a PUT creates it
 * @param now ms since the epoch
 * @returns `'not-modified'` for GET and HEAD only; a failed If-None-Match of any other method is `'precondition-failed'`
 * @see RFC 9110 §13.1, §13.2
 * @example
 * evaluatePreconditions({ method: 'GET', headers: { 'if-none-match': '"a"' } }, { size: 1, etag: '"a"' }) // 'not-modified'
 */
export function evaluatePreconditions(
  request: RequestHead,
  representation: Representation | null,
  now: number = Date.now(),
): PreconditionOutcome {
  const { method, headers } = request
  // Methods that neither select nor modify a representation ignore preconditions: RFC 9110 §13.2.1.
  if (method === 'OPTIONS' || method === 'TRACE' || method === 'CONNECT') return 'proceed'

  const ifMatch = fieldValue(headers, 'if-match')
  if (ifMatch !== undefined) {
    if (!matchesAny(ifMatch, representation, strongMatch)) return 'precondition-failed'
  } else if (isModifiedSince(fieldValue(headers, 'if-unmodified-since'), representation, now) === true) {
    return 'precondition-failed'
  }

  const reads = method === 'GET' || method === 'HEAD'
  const ifNoneMatch = fieldValue(headers, 'if-none-match')
  if (ifNoneMatch !== undefined) {
    if (!matchesAny(ifNoneMatch, representation, weakMatch)) return 'proceed'
    return reads ? 'not-modified' : 'precondition-failed'
  }
  const unmodified = isModifiedSince(fieldValue(headers, 'if-modified-since'), representation, now) === false
  return reads && unmodified ? 'not-modified' : 'proceed'
}

/**
 * Tells whether the Range of a request counts: `true` without If-Range, or when its validator strongly matches.
 *
 * A date matches when it equals Last-Modified and is strong: one second has passed since, so that no second change can
 * hide behind it. A weak entity-tag, a list and a malformed value never match.
 *
 * @param now ms since the epoch
 * @see RFC 9110 §13.1.5, §8.8.2.2
 * @example
 * evaluateIfRange({ method: 'GET', headers: { 'if-range': '"a"' } }, { size: 1, etag: '"a"' }) // true
 */
export function evaluateIfRange(
  request: RequestHead,
  representation: Representation,
  now: number = Date.now(),
): boolean {
  const field = fieldValue(request.headers, 'if-range')
  if (field === undefined) return true
  const tag = parseEntityTag(field)
  if (tag !== null) {
    const current = parseEntityTag(representation.etag ?? '')
    return current !== null && strongMatch(tag, current)
  }
  const lastModified = lastModifiedSecond(representation, now)
  return (
    lastModified !== undefined && now >= lastModified + 1000 && parseHttpDate(field, now) === lastModified
  )
}

function matchesAny(
  field: string,
  representation: Representation | null,
  match: typeof strongMatch,
): boolean {
  if (representation === null) return false
  const tags = parseEntityTags(field)
  if (tags === '*') return true
  const current = parseEntityTag(representation.etag ?? '')
  return tags !== null && current !== null && tags.some((tag) => match(tag, current))
}

/** `undefined` when the field must be ignored: absent, no HTTP-date, or no modification date to compare with. */
function isModifiedSince(field: string | undefined, representation: Representation | null, now: number) {
  const date = field === undefined ? null : parseHttpDate(field, now)
  const lastModified = representation === null ? undefined : lastModifiedSecond(representation, now)
  return date === null || lastModified === undefined ? undefined : lastModified > date
}
