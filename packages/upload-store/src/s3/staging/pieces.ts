import type { Span } from '../client/downloads.ts'
import { completeMultipart, type Multipart, type Part } from '../client/multipart.ts'
import type { S3Parts } from '../context/context.ts'

/** What an upload consists of, as another process has to know it. */
export interface Pieces {
  /** The unfinished multipart upload; none before its first part. */
  readonly multipart: Multipart | undefined
  readonly parts: readonly Part[]
  /** Whether there may be parts beside these, of a writer that was cut off or of bytes that were taken back. */
  readonly strays: boolean
  /** Objects that hold the bytes behind the parts, each less than all of a part, but for one that was completed. */
  readonly tails: readonly Span[]
}

export const NO_PIECES: Pieces = { multipart: undefined, parts: [], strays: false, tails: [] }

export function endOffset({ parts, tails }: Pick<Pieces, 'parts' | 'tails'>): number {
  return parts.reduce((sum, { size }) => sum + size, 0) + totalLength(tails)
}

/** Makes the parts of an upload, all of which are there, its blob. */
export async function completeAsBlob(
  { bucket }: S3Parts<'bucket'>,
  { multipart, parts }: Pick<Pieces, 'multipart' | 'parts'>,
): Promise<Span> {
  if (multipart === undefined) throw new TypeError('There is no upload to complete.')
  const tag = await completeMultipart(bucket, multipart, parts)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  return { name: multipart.name, tag, start: 0, end: size - 1 }
}

export function totalLength(spans: readonly Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start + 1, 0)
}

/** What the first `length` bytes lie in, and the rest. */
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
