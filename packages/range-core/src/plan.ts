import { invalidLimit, invalidSize } from './errors.ts'
import { fieldValue, formatHttpDate, lastModifiedSecond } from './field-values.ts'
import { layoutMultipart, type MultipartLayout } from './multipart.ts'
import { evaluateIfRange, evaluatePreconditions } from './preconditions.ts'
import { type ByteRange, coalesceRanges, formatContentRange, parseRange, resolveRanges } from './range.ts'
import type { Representation, RequestHead } from './representation.ts'

/** Header fields to send, by their usual spelling. */
export type ResponseFields = Readonly<Record<string, string>>

/** What to answer. `headers` holds every field that ranges and validators decide; the rest is the caller's. */
export type ResponsePlan =
  | { readonly kind: 'full'; readonly status: 200; readonly headers: ResponseFields }
  | {
      readonly kind: 'partial'
      readonly status: 206
      readonly headers: ResponseFields
      readonly range: ByteRange
    }
  | {
      readonly kind: 'multipart'
      readonly status: 206
      readonly headers: ResponseFields
      readonly layout: MultipartLayout
    }
  | { readonly kind: 'not-modified'; readonly status: 304; readonly headers: ResponseFields }
  | { readonly kind: 'precondition-failed'; readonly status: 412; readonly headers: ResponseFields }
  | { readonly kind: 'unsatisfiable'; readonly status: 416; readonly headers: ResponseFields }

export interface PlanOptions {
  /** The most ranges that one request may ask for; more are answered with the whole content (16). */
  readonly maxRanges?: number | undefined
  /** The most bytes of content in one 206; what goes beyond is cut, as RFC 9110 §15.3.7 permits (no limit). */
  readonly maxPartialLength?: number | undefined
  /** ms since the epoch (the clock). */
  readonly now?: number | undefined
}

/**
 * Decides what to answer to a request for a representation that exists; reads nothing and sends nothing.
 *
 * Preconditions win over ranges, a Range counts on GET only, and a Range that is malformed, of another unit, of empty
 * content, or wasteful (more than `maxRanges`, or adding up to more than the content) is ignored.
 *
 * @throws RangeError when `size` is no whole number of bytes, or a limit is NaN; never for anything that a client sends
 * @see RFC 9110 §13.2.2, §14.2, §15.3.7
 * @example
 * const plan = planResponse({ method: 'GET', headers: { range: 'bytes=-500' } }, { size: 2000 })
 * // plan.kind === 'partial', plan.range is { start: 1500, end: 1999 }
 */
export function planResponse(
  request: RequestHead,
  representation: Representation,
  options: PlanOptions = {},
): ResponsePlan {
  const { now = Date.now() } = options
  const { size } = representation
  if (!Number.isSafeInteger(size) || size < 0) throw invalidSize(size)
  const outcome = isConditional(request.headers)
    ? evaluatePreconditions(request, representation, now)
    : 'proceed'
  if (outcome === 'precondition-failed') return { kind: outcome, status: 412, headers: {} }
  if (outcome === 'not-modified') {
    return { kind: outcome, status: 304, headers: validatorFields(representation, now) }
  }
  const ranges = selectRanges(request, representation, options, now)
  if (ranges === null) return planFull(representation, now)
  const [range] = ranges
  if (range === undefined) {
    const unsatisfied = { 'Accept-Ranges': 'bytes', 'Content-Range': formatContentRange(null, size) }
    return { kind: 'unsatisfiable', status: 416, headers: unsatisfied }
  }
  return ranges.length === 1
    ? planPartial(range, representation, now)
    : planMultipart(ranges, representation, now)
}

/** Most requests have no condition, and then nothing of preconditions.ts runs. */
function isConditional(headers: RequestHead['headers']): boolean {
  return (
    headers['if-none-match'] !== undefined ||
    headers['if-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  )
}

function planFull(representation: Representation, now: number): ResponsePlan {
  const headers = validatorFields(representation, now)
  headers['Content-Length'] = `${representation.size}`
  return { kind: 'full', status: 200, headers }
}

function planPartial(range: ByteRange, representation: Representation, now: number): ResponsePlan {
  const headers = validatorFields(representation, now)
  headers['Content-Length'] = `${range.end - range.start + 1}`
  headers['Content-Range'] = formatContentRange(range, representation.size)
  return { kind: 'partial', status: 206, headers, range }
}

function planMultipart(
  ranges: readonly ByteRange[],
  representation: Representation,
  now: number,
): ResponsePlan {
  const layout = layoutMultipart(ranges, representation.size, representation.type)
  const headers = validatorFields(representation, now)
  headers['Content-Length'] = `${layout.contentLength}`
  headers['Content-Type'] = layout.contentType
  return { kind: 'multipart', status: 206, headers, layout }
}

/** A new object each time, which the caller fills: copying one takes as long as all the rest of a plan. */
function validatorFields(representation: Representation, now: number): Record<string, string> {
  const headers: Record<string, string> = { 'Accept-Ranges': 'bytes' }
  const lastModified = lastModifiedSecond(representation, now)
  if (representation.etag !== undefined) headers['ETag'] = representation.etag
  if (lastModified !== undefined) headers['Last-Modified'] = formatHttpDate(lastModified)
  return headers
}

/** The ranges to send; empty when none can be satisfied, `null` when Range does not count. */
function selectRanges(
  request: RequestHead,
  representation: Representation,
  options: PlanOptions,
  now: number,
): readonly ByteRange[] | null {
  const { maxRanges = 16, maxPartialLength = Number.POSITIVE_INFINITY } = options
  if (Number.isNaN(Number(maxRanges))) throw invalidLimit('maxRanges', maxRanges)
  if (Number.isNaN(Number(maxPartialLength))) throw invalidLimit('maxPartialLength', maxPartialLength)
  const { size } = representation
  const field = fieldValue(request.headers, 'range')
  if (field === undefined || request.method !== 'GET' || size === 0) return null
  const mayBeRanged =
    request.headers['if-range'] === undefined || evaluateIfRange(request, representation, now)
  if (!mayBeRanged) return null
  const specs = parseRange(field, maxRanges)
  if (specs === null) return null
  const ranges = resolveRanges(specs, size)
  return totalLength(ranges) > size ? null : cut(coalesceRanges(ranges), maxPartialLength)
}

function totalLength(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + (end - start + 1), 0)
}

/** Keeps ranges from the front until `length` bytes are used up; at least one byte, or there would be no 206. */
function cut(ranges: readonly ByteRange[], length: number): readonly ByteRange[] {
  const kept: ByteRange[] = []
  let left = Math.max(Math.floor(length), 1)
  for (const { start, end } of ranges) {
    if (left === 0) break
    const range = { start, end: Math.min(end, start + left - 1) }
    kept.push(range)
    left -= range.end - range.start + 1
  }
  return kept
}
