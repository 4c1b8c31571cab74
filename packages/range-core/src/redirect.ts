import { fieldValue } from './field-values.ts'
import { planResponse } from './plan.ts'
import type { Representation, RequestHead } from './representation.ts'

/** Clients repeat these fields when they follow a redirect. The other server would compare them with its own validators. */
const PRECONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range']

/** One range, in numbers that every server can count with. */
const PLAIN_RANGE = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/

/**
 * Whether a server that has the same bytes under validators of its own, such as an object store, gives the same answer to a
 * request: a GET without preconditions, of everything or of one range that can be satisfied. All else is to be answered here.
 *
 * @see RFC 9110 §13, §15.4.8
 * @example
 * canRedirect({ method: 'GET', headers: { range: 'bytes=0-' } }, { size: 2000 }) // true
 */
export function canRedirect(request: RequestHead, representation: Representation): boolean {
  const { method, headers } = request
  if (method !== 'GET' || PRECONDITIONS.some((name) => fieldValue(headers, name) !== undefined)) return false
  const range = fieldValue(headers, 'range')
  if (range === undefined) return true
  return PLAIN_RANGE.test(range) && planResponse(request, representation).kind === 'partial'
}
