import { StoreError } from '../../contract/store-error.ts'

/** The media type of content whose type is unknown. */
export const UNKNOWN_TYPE = 'application/octet-stream'

/**
 * Accepts or rejects the media type of an upload. Every upload passes this function and no other check of its type.
 *
 * @param accept patterns as in an Accept field, such as `video/*`
 * @throws StoreError UNSUPPORTED_TYPE
 */
export function checkAcceptedType(type: string, accept: readonly string[] = ['*/*']): void {
  if (accept.some((pattern) => matches(pattern, type))) return
  const found = type === UNKNOWN_TYPE ? 'of no known media type' : type
  throw new StoreError(
    'UNSUPPORTED_TYPE',
    `The content is ${found}; accepted are ${accept.join(', ')}. Send a file of such a type.`,
  )
}

/**
 * Returns whether `type` matches `pattern`, an Accept pattern without parameters (RFC 9110 §12.5.1). Ignores the
 * parameters of `type`.
 */
function matches(pattern: string, type: string): boolean {
  const [wanted = '', essence = ''] = [pattern, type.split(';')[0]].map((text) => text?.trim().toLowerCase())
  return (
    wanted === '*/*' ||
    wanted === essence ||
    (wanted.endsWith('/*') && essence.startsWith(wanted.slice(0, -1)))
  )
}
