import { type Limits, limitBroken } from '../core/limits.ts'
import { beyondTusLength, type Refusal, wrongLength, wrongOffset } from '../errors.ts'

export type TusAppendDecision =
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** Repeats the response that the client may have missed. */
  | { readonly kind: 'replay' }
  /** `length`: of the whole upload, `null` if it is not known yet. */
  | { readonly kind: 'append'; readonly offset: number; readonly length: number | null }

interface AppendRequest {
  readonly offset: number
  readonly length: number | null
  readonly contentLength: number | null
}

interface Progress {
  readonly offset: number
  readonly length: number | null
  readonly isComplete: boolean
}

/** Decides what to do with a PATCH, by its header section alone. */
export function decideAppend(
  { offset, length: declared, contentLength }: AppendRequest,
  progress: Progress,
  limits: Limits,
): TusAppendDecision {
  if (declared !== null && progress.length !== null && declared !== progress.length) {
    const detail = `Upload-Length ${declared} differs from the ${progress.length} bytes of the upload. Omit the field.`
    return refuse(wrongLength(detail))
  }
  if (offset !== progress.offset) return refuse(wrongOffset(progress.offset, offset))
  const length = progress.length ?? declared
  if (length !== null && length < offset) {
    const detail = `Upload-Length ${length} is less than the ${offset} bytes that are stored. Send the whole length.`
    return refuse(wrongLength(detail))
  }
  const end = contentLength === null ? null : offset + contentLength
  // To a complete upload, content of unknown length is too much, too: only an empty append repeats the response.
  const isBeyond = length !== null && (end === null ? progress.isComplete : end > length)
  if (isBeyond) return refuse(beyondTusLength(length))
  if (progress.isComplete) return { kind: 'replay' }
  const broken = limitBroken(limits, { length: length ?? end, content: contentLength, last: end === length })
  return broken === null ? { kind: 'append', offset, length } : refuse(broken)
}

function refuse(refusal: Refusal): TusAppendDecision {
  return { kind: 'refuse', refusal }
}
