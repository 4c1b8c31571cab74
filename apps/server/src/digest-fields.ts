import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import createError from 'http-errors'
import { parseDictionary, serializeByteSequence } from 'structured-headers'
import { StoreError } from 'upload-store'

/** Length of the value in bytes. Others may be ignored, and are (RFC 9530 §3). */
const ALGORITHMS = { 'sha-256': 32, 'sha-512': 64 } as const
const FIELDS = ['Repr-Digest', 'Content-Digest'] as const
const PROBLEM_TYPES = 'https://iana.org/assignments/http-problem-types'

type Algorithm = keyof typeof ALGORITHMS

interface DeclaredDigest {
  readonly field: (typeof FIELDS)[number]
  readonly algorithm: Algorithm
  readonly value: Buffer
}

/**
 * The digests that a request declares of its content, in Repr-Digest and Content-Digest: of the same bytes where nothing
 * is encoded. They may come as trailers, where a Trailer field tells of them beforehand.
 *
 * @see RFC 9530 §2, §3
 */
export class ContentDigests {
  readonly #req: IncomingMessage
  readonly #declared: readonly DeclaredDigest[]
  readonly #hashes: ReadonlyMap<Algorithm, Hash>

  /**
   * @param known algorithms whose digest `check` will be told
   * @throws 400 for a field that cannot be parsed or a value that cannot be right
   */
  constructor(req: IncomingMessage, known: readonly Algorithm[] = []) {
    this.#req = req
    this.#declared = parseFields(req.headers)
    const announced = req.headers.trailer !== undefined
    const needed = namesOf(ALGORITHMS).filter(
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
    const declared = [...this.#declared, ...parseFields(this.#req.trailers)]
    const wrong = declared.filter(({ algorithm, value }) => found.get(algorithm)?.equals(value) === false)
    if (wrong.length === 0) return
    const texts = wrong.map(({ field, algorithm, value }) => {
      const actual = serializeByteSequence(found.get(algorithm) ?? value)
      return `${field} has ${algorithm} ${serializeByteSequence(value)}, but that of the content is ${actual}.`
    })
    throw mismatch(wrong, texts.join(' '))
  }

  /** A store's complaint about the sha-256 that it was told, as `check` would have put it; any other error as it is. */
  inWords(error: unknown): unknown {
    if (!(error instanceof StoreError) || error.code !== 'DIGEST_MISMATCH') return error
    return mismatch(
      this.#declared.filter(({ algorithm }) => algorithm === 'sha-256'),
      error.message,
    )
  }
}

/** Of a header or a trailer section. */
function parseFields(section: NodeJS.Dict<string | string[]>): readonly DeclaredDigest[] {
  const declared = FIELDS.flatMap((field) => parseField(field, String(section[field.toLowerCase()] ?? '')))
  for (const { algorithm, value } of declared) {
    const other = declared.find((each) => each.algorithm === algorithm && !each.value.equals(value))
    if (other === undefined) continue
    const texts = [value, other.value].map(serializeByteSequence)
    throw createError(400, `Two different values of ${algorithm} are declared: ${texts.join(' and ')}.`)
  }
  return declared
}

function parseField(field: DeclaredDigest['field'], text: string): readonly DeclaredDigest[] {
  const members = parse(text)
  if (members === null)
    throw createError(400, `${field} is no dictionary of digests like sha-256=:…: (RFC 9530): ${text}`)
  return namesOf(ALGORITHMS).flatMap((algorithm) => {
    const member = members.get(algorithm)
    if (member === undefined) return []
    const [bytes] = member
    if (!(bytes instanceof ArrayBuffer))
      throw createError(400, `${field} has no base64 between colons for ${algorithm}: ${text}`)
    const value = Buffer.from(bytes)
    if (value.length !== ALGORITHMS[algorithm]) throw invalid({ field, algorithm, value })
    return [{ field, algorithm, value }]
  })
}

function parse(text: string): ReturnType<typeof parseDictionary> | null {
  try {
    return parseDictionary(text)
  } catch {
    return null
  }
}

function invalid({ field, algorithm, value }: DeclaredDigest): Error {
  const reason = `${serializeByteSequence(value)} has ${value.length} bytes, not ${ALGORITHMS[algorithm]}`
  return createError(400, `${field}: the ${algorithm} ${reason}.`, {
    problem: {
      type: `${PROBLEM_TYPES}#digest-invalid-values`,
      title: 'A digest of the request is invalid',
      invalid_digests: [{ algorithm, header: field, reason }],
    },
  })
}

function mismatch(digests: readonly DeclaredDigest[], detail: string): Error {
  return createError(400, detail, {
    problem: {
      type: `${PROBLEM_TYPES}#digest-mismatched-values`,
      title: 'The content is not what its digest says',
      mismatched_digests: digests.map(({ field, algorithm, value }) => ({
        algorithm,
        provided_digest: serializeByteSequence(value),
        header: field,
      })),
    },
  })
}

/**
 * The value of Repr-Digest for an object.
 *
 * @param sha256 lower-case hex
 */
export function reprDigest(sha256: string): string {
  return `sha-256=${serializeByteSequence(Buffer.from(sha256, 'hex'))}`
}

/**
 * Whether a response may bring a sha-256, by its request's Want-Repr-Digest: not where that asks for others only, or says 0
 * for "not acceptable". What cannot be read is ignored, as the whole field may be (RFC 9530 §4).
 */
export function wantsSha256(field: string): boolean {
  const weights = [...(parse(field) ?? [])].map(([algorithm, [weight]]) => ({ algorithm, weight }))
  if (!weights.every(({ weight }) => Number.isInteger(weight) && Number(weight) >= 0 && Number(weight) <= 10))
    return true
  const own = weights.find(({ algorithm }) => algorithm === 'sha-256')
  return own === undefined ? weights.every(({ weight }) => weight === 0) : own.weight !== 0
}

function namesOf<T extends object>(table: T): readonly (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}
