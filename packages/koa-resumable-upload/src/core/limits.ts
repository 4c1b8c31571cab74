import { malformed, type Refusal, tooLong } from '../errors.ts'

export interface Limits {
  /** Bytes, as are the others. */
  readonly maxSize: number | undefined
  readonly maxAppendSize: number | undefined
  readonly minAppendSize: number | undefined
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
    return tooLong(`The upload has ${length} bytes; the limit is ${maxSize}. Send a smaller file.`, {
      final: true,
    })
  }
  if (content === null) return null
  if (maxAppendSize !== undefined && content > maxAppendSize) {
    const detail = `The request has ${content} bytes; the limit is ${maxAppendSize}. Send the content in several requests.`
    return tooLong(detail, { final: false })
  }
  // Empty requests carry no content that could be too short.
  if (minAppendSize === undefined || last || content === 0 || content >= minAppendSize) return null
  const detail = `The request has ${content} bytes; every request except the last one needs at least ${minAppendSize}. Send larger parts.`
  return { ...malformed(detail), limited: true }
}
