import createError from 'http-errors'
import { parseDictionary, serializeByteSequence } from 'structured-headers'

/** Length of the value in bytes. Others may be ignored, and are (RFC 9530 §3). */
const LENGTHS = { 'sha-256': 32, 'sha-512': 64 } as const
const FIELDS = ['Repr-Digest', 'Content-Digest'] as const

export type Algorithm = keyof typeof LENGTHS

export const ALGORITHMS: readonly Algorithm[] = ['sha-256', 'sha-512']

export interface DeclaredDigest {
  readonly field: (typeof FIELDS)[number]
  readonly algorithm: Algorithm
  readonly value: Buffer
}

/**
 * What a header or a trailer section declares.
 *
 * @throws 400 for a field that cannot be parsed or a value that cannot be right
 */
export function declaredDigests(section: NodeJS.Dict<string | string[]>): readonly DeclaredDigest[] {
  const declared = FIELDS.flatMap((field) => parseField(field, String(section[field.toLowerCase()] ?? '')))
  for (const { algorithm, value } of declared) {
    const other = declared.find((each) => each.algorithm === algorithm && !each.value.equals(value))
    if (other === undefined) continue
    const texts = [value, other.value].map(serializeByteSequence)
    throw createError(
      400,
      `Two different values of ${algorithm} are declared: ${texts.join(' and ')}. Send one.`,
    )
  }
  return declared
}

function parseField(field: DeclaredDigest['field'], text: string): readonly DeclaredDigest[] {
  const members = parse(text)
  if (members === null)
    throw createError(
      400,
      `${field}: ${text} is not a dictionary of digests. Send a value like sha-256=:…: (RFC 9530).`,
    )
  return ALGORITHMS.flatMap((algorithm) => {
    const member = members.get(algorithm)
    if (member === undefined) return []
    const [bytes] = member
    if (!(bytes instanceof ArrayBuffer))
      throw createError(
        400,
        `${field}: ${text} has no base64 between colons for ${algorithm}. Send a value like ${algorithm}=:…:.`,
      )
    const value = Buffer.from(bytes)
    if (value.length !== LENGTHS[algorithm]) throw invalid({ field, algorithm, value })
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
  const reason = `${serializeByteSequence(value)} has ${value.length} bytes, not ${LENGTHS[algorithm]}`
  return createError(400, `${field}: the ${algorithm} ${reason}.`, {
    problem: {
      type: 'https://iana.org/assignments/http-problem-types#digest-invalid-values',
      title: 'A digest of the request is invalid',
      invalid_digests: [{ algorithm, header: field, reason }],
    },
  })
}
