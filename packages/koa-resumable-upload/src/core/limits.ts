import type { Interop } from '../draft/interop.ts'
import { malformed, type Refusal, tooLong } from '../draft/refusal.ts'
import { formatIntegers } from '../draft/structured-fields.ts'

export interface Limits {
  /** Bytes, as are the others. */
  readonly maxSize: number | undefined
  readonly maxAppendSize: number | undefined
  readonly minAppendSize: number | undefined
}

/** The longest Integer of a structured field (RFC 9651 §3.3.1). */
const MAX_INTEGER = 999_999_999_999_999

/**
 * The value of Upload-Limit.
 *
 * @param left how long the upload will be kept, in ms
 */
export function formatLimits(limits: Limits, left: number, { lifeName }: Interop): string {
  const { maxSize, maxAppendSize, minAppendSize } = limits
  const members = {
    'max-size': maxSize,
    'max-append-size': maxAppendSize,
    'min-append-size': minAppendSize,
    [lifeName]: Math.max(0, Math.floor(left / 1000)),
  }
  const told = Object.entries(members).flatMap(([name, value]) =>
    value === undefined || !(value <= MAX_INTEGER) ? [] : [[name, value] as const],
  )
  // An empty field is none, and one there must be.
  return formatIntegers(told.length === 0 ? { 'min-size': 0 } : Object.fromEntries(told))
}

/** What one request's content breaks of the limits, by its announced length. */
export function limitBroken(
  limits: Limits,
  {
    length,
    content,
    last,
  }: { readonly length: number | null; readonly content: number | null; readonly last: boolean },
): Refusal | null {
  const { maxSize, maxAppendSize, minAppendSize } = limits
  if (maxSize !== undefined && length !== null && length > maxSize) {
    return tooLong(`The upload has ${length} bytes; the limit is ${maxSize}.`, { final: true })
  }
  if (content === null) return null
  if (maxAppendSize !== undefined && content > maxAppendSize) {
    const detail = `The request has ${content} bytes; the limit is ${maxAppendSize}.`
    return tooLong(detail, { final: false })
  }
  // Empty requests carry no content that could be too short.
  if (minAppendSize === undefined || last || content === 0 || content >= minAppendSize) return null
  const detail = `The request has ${content} bytes; all but the last one have ${minAppendSize} at least.`
  return { ...malformed(detail), limited: true }
}
