import { createHash } from 'node:crypto'
import { serializeByteSequence } from 'structured-headers'
import { dictionaryField } from '../http/structured-fields.ts'
import { invalidDigest, malformed, RefusedError, wrongDigest } from './refusal.ts'

/** Length of the value in bytes. Others may be ignored, and are (RFC 9530 §3). */
const LENGTHS = { 'sha-256': 32, 'sha-512': 64 }

interface DeclaredDigest {
  readonly algorithm: string
  readonly value: Buffer
}

/** The digests that a request declares of its own content. */
export interface ContentDigest {
  update(chunk: Uint8Array): void
  /** @throws RefusedError when what `update` saw is something else */
  verify(): void
}

/**
 * Of a Content-Digest field, or `null` where it declares none that is known here.
 *
 * @throws RefusedError for a field that cannot be read or a value that cannot be right
 * @see RFC 9530 §2
 */
export function contentDigest(field: string): ContentDigest | null {
  const declared = parseDigests('Content-Digest', field)
  if (declared.length === 0) return null
  const each = declared.map(({ algorithm, value }) => ({ algorithm, value, hash: createDigest(algorithm) }))
  return {
    update: (chunk) => {
      for (const { hash } of each) hash.update(chunk)
    },
    verify: () => {
      const wrong = each.filter(({ hash, value }) => !hash.digest().equals(value))
      if (wrong.length === 0) return
      const told = wrong.map(({ algorithm, value }) => mismatch('Content-Digest', algorithm, value))
      throw new RefusedError(wrongDigest(told, { final: false }))
    },
  }
}

/**
 * The sha-256 of a Repr-Digest field in lower-case hex; `undefined` where it has none, and others are ignored.
 *
 * @throws RefusedError as for `contentDigest`
 * @see RFC 9530 §3
 */
export function parseReprDigest(field: string): string | undefined {
  const declared = parseDigests('Repr-Digest', field)
  return declared.find(({ algorithm }) => algorithm === 'sha-256')?.value.toString('hex')
}

/** @param sha256 lower-case hex */
export function formatReprDigest(sha256: string): string {
  return `sha-256=${serializeByteSequence(Buffer.from(sha256, 'hex'))}`
}

/**
 * Returns whether a Want-Repr-Digest field asks for a sha-256 (RFC 9530 §4): `false` if it gives sha-256 the weight 0, "not
 * acceptable", or asks for other algorithms only; `null` if it leaves the choice to the server, because it is missing, cannot
 * be read or has a weight that is not an integer from 0 to 10. apps/server has the same rule for downloads.
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

function mismatch(
  header: string,
  algorithm: string,
  value: Buffer,
): { readonly algorithm: string; readonly provided_digest: string; readonly header: string } {
  return { algorithm, provided_digest: serializeByteSequence(value), header }
}

function parseDigests(header: string, field: string): readonly DeclaredDigest[] {
  const members = dictionaryField(field)
  if (members === null) {
    throw new RefusedError(malformed(`${header} is no dictionary of digests like sha-256=:…: (RFC 9530).`))
  }
  return Object.entries(LENGTHS).flatMap(([algorithm, length]) => {
    if (!members.has(algorithm)) return []
    const bytes = members.get(algorithm)
    if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== length) {
      const reason = `the value of ${algorithm} is not ${length} bytes in base64 between colons`
      throw new RefusedError(invalidDigest(algorithm, header, reason))
    }
    return [{ algorithm, value: Buffer.from(bytes) }]
  })
}

function createDigest(algorithm: string): ReturnType<typeof createHash> {
  return createHash(algorithm.replace('-', ''))
}
