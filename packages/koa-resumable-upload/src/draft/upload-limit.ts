import type { Exchange } from '../core/exchange.ts'
import type { Limits } from '../core/limits.ts'
import { formatIntegers } from '../http/structured-fields.ts'
import type { Interop } from './interop.ts'
import type { UploadRequest } from './upload-request.ts'

/** The longest Integer of a structured field (RFC 9651 §3.3.1). */
const MAX_INTEGER = 999_999_999_999_999

/**
 * The value of Upload-Limit.
 *
 * @param left how long the upload will be kept, in ms
 */
function formatLimits(limits: Limits, left: number, { lifeName }: Interop): string {
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
  // An empty field would be omitted, but the draft requires the field.
  return formatIntegers(told.length === 0 ? { 'min-size': 0 } : Object.fromEntries(told))
}

/** @param expires when the upload expires, ms since the epoch (as a new one) */
export function limitField(
  { settings, request }: Pick<Exchange, 'settings'> & { readonly request: UploadRequest },
  expires?: number,
): string {
  const left = expires === undefined ? settings.expireAfter : expires - Date.now()
  return formatLimits(settings.limits, left, request.interop)
}
