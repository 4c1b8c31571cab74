import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import createError from 'http-errors'
import { serializeByteSequence } from 'structured-headers'
import { StoreError } from 'upload-store'
import { ALGORITHMS, type Algorithm, type DeclaredDigest, declaredDigests } from './declared-digests.ts'

/**
 * The digests that a request declares of its content, in Repr-Digest and Content-Digest: of the same bytes where nothing
 * is encoded. They may come as trailers if a Trailer field announces them.
 *
 * @see RFC 9530 §2, §3
 */
export class ContentDigests {
  readonly #req: IncomingMessage
  readonly #declared: readonly DeclaredDigest[]
  readonly #hashes: ReadonlyMap<Algorithm, Hash>

  /**
   * @param known algorithms whose digests the caller passes to `check`
   * @throws 400 for a field that cannot be parsed or a value that cannot be right
   */
  constructor(req: IncomingMessage, known: readonly Algorithm[] = []) {
    this.#req = req
    this.#declared = declaredDigests(req.headers)
    const announced = req.headers.trailer !== undefined
    const needed = ALGORITHMS.filter(
      (name) =>
        !known.includes(name) && (announced || this.#declared.some(({ algorithm }) => algorithm === name)),
    )
    this.#hashes = new Map(needed.map((name) => [name, createHash(name.replace('-', ''))]))
  }

  /** The declared sha-256 in lower-case hex, or `undefined`. */
  get sha256(): string | undefined {
    return this.#declared.find(({ algorithm }) => algorithm === 'sha-256')?.value.toString('hex')
  }

  /** Whether `update` has to see the content. */
  get needContent(): boolean {
    return this.#hashes.size > 0
  }

  update(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk)
  }

  /**
   * Call once, when all of the content has come.
   *
   * @param sha256 its digest in lower-case hex, where that is known
   * @throws 400 where a declared digest is another one
   */
  check(sha256?: string): void {
    const found = new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest()]))
    if (sha256 !== undefined) found.set('sha-256', Buffer.from(sha256, 'hex'))
    const declared = [...this.#declared, ...declaredDigests(this.#req.trailers)]
    const wrong = declared.filter(({ algorithm, value }) => found.get(algorithm)?.equals(value) === false)
    if (wrong.length === 0) return
    const texts = wrong.map(({ field, algorithm, value }) => {
      const actual = serializeByteSequence(found.get(algorithm) ?? value)
      return `${field} has ${algorithm} ${serializeByteSequence(value)}, but that of the content is ${actual}. Send the content again.`
    })
    throw mismatch(wrong, texts.join(' '))
  }

  /**
   * Returns the error that `check` would throw if the store has found the declared sha-256 to be wrong; any other
   * error unchanged.
   */
  toHttpError(error: unknown): unknown {
    if (!(error instanceof StoreError) || error.code !== 'DIGEST_MISMATCH') return error
    return mismatch(
      this.#declared.filter(({ algorithm }) => algorithm === 'sha-256'),
      error.message,
    )
  }
}

function mismatch(digests: readonly DeclaredDigest[], detail: string): Error {
  return createError(400, detail, {
    problem: {
      type: 'https://iana.org/assignments/http-problem-types#digest-mismatched-values',
      title: 'The content does not match its digest',
      mismatched_digests: digests.map(({ field, algorithm, value }) => ({
        algorithm,
        provided_digest: serializeByteSequence(value),
        header: field,
      })),
    },
  })
}
