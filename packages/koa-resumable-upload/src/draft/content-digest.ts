import { createHash } from 'node:crypto'
import { serializeByteSequence } from 'structured-headers'
import type { ContentDigest } from '../core/exchange.ts'
import { invalidDigest, malformed, RefusedError, wrongDigest } from '../errors.ts'
import { dictionaryField } from '../http/structured-fields.ts'

/** Length of the value in bytes. Other algorithms may be ignored, and are (RFC 9530 §3). */
const LENGTHS = { 'sha-256': 32, 'sha-512': 64 }

interface DeclaredDigest {
  readonly algorithm: string
  readonly value: Buffer
}

/**
 * Returns the digests of a Content-Digest field, or `null` if it has none that this server knows.
 *
 * @throws RefusedError if the field is malformed or a value has the wrong length
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
 * Returns the sha-256 of a Repr-Digest field in lower-case hex; `undefined` if it has none. Other digests are ignored.
 *
 * @throws RefusedError as for `contentDigest`
 * @see RFC 9530 §3
 */
export function parseReprDigest(field: string): string | undefined {
  const declared = parseDigests('Repr-Digest', field)
  return declared.find(({ algorithm }) => algorithm === 'sha-256')?.value.toString('hex')
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
    throw new RefusedError(
      malformed(`${header} is not a dictionary of digests. Send a value like sha-256=:…: (RFC 9530).`),
    )
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
