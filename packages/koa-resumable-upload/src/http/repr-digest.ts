import { serializeByteSequence } from 'structured-headers'
import { dictionaryField } from './structured-fields.ts'

/**
 * Returns the value of Repr-Digest for an object (RFC 9530 §3).
 *
 * @param sha256 lower-case hex
 */
export function formatReprDigest(sha256: string): string {
  return `sha-256=${serializeByteSequence(Buffer.from(sha256, 'hex'))}`
}

/**
 * Returns whether a Want-Repr-Digest field asks for a sha-256 (RFC 9530 §4): `false` if it gives sha-256 the weight 0, "not
 * acceptable", or asks for other algorithms only; `null` if it leaves the choice to the server, because it is missing, cannot
 * be read or has a weight that is not an integer from 0 to 10.
 */
export function wantsSha256(field: string): boolean | null {
  const weights = dictionaryField(field) ?? new Map<string, unknown>()
  const values = [...weights.values()]
  if (!values.every((weight) => Number.isInteger(weight) && Number(weight) >= 0 && Number(weight) <= 10))
    return null
  const own = weights.get('sha-256')
  if (own !== undefined) return own !== 0
  return values.some((weight) => weight !== 0) ? false : null
}
