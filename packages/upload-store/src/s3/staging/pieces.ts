import type { Span } from '../client/downloads.ts'
import { completeMultipart, type Multipart, type Part } from '../client/multipart.ts'
import type { S3Parts } from '../context/context.ts'

/** The stored pieces of an upload, as another process needs them to resume it. */
export interface Pieces {
  /** The unfinished multipart upload; `undefined` before its first part. */
  readonly multipart: Multipart | undefined
  readonly parts: readonly Part[]
  /** Whether S3 may have other parts, of a previous writer or of discarded bytes. */
  readonly strays: boolean
  /**
   * The objects that hold the bytes after the parts. Each is less than a part, except for one that was joined from
   * parts.
   */
  readonly tails: readonly Span[]
}

export const NO_PIECES: Pieces = { multipart: undefined, parts: [], strays: false, tails: [] }

export function endOffset({ parts, tails }: Pick<Pieces, 'parts' | 'tails'>): number {
  return parts.reduce((sum, { size }) => sum + size, 0) + totalLength(tails)
}

/** Joins the parts of an upload, all of which S3 has, to its blob. */
export async function completeAsBlob(
  { bucket }: S3Parts<'bucket'>,
  { multipart, parts }: Pick<Pieces, 'multipart' | 'parts'>,
): Promise<Span> {
  if (multipart === undefined) throw new TypeError('The upload has no multipart upload to complete.')
  const tag = await completeMultipart(bucket, multipart, parts)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  return { name: multipart.name, tag, start: 0, end: size - 1 }
}

export function totalLength(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start + 1, 0)
}

/** Returns the spans of the first `length` bytes, and those of the rest. */
export function splitSpans(spans: readonly Span[], length: number): [readonly Span[], readonly Span[]] {
  const taken: Span[] = []
  const rest: Span[] = []
  let left = length
  for (const span of spans) {
    const size = span.end - span.start + 1
    if (left > 0) taken.push(size <= left ? span : { ...span, end: span.start + left - 1 })
    if (size > left) rest.push(left > 0 ? { ...span, start: span.start + left } : span)
    left = Math.max(0, left - size)
  }
  return [taken, rest]
}
