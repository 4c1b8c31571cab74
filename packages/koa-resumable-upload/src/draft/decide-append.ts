import { type Limits, limitBroken } from '../core/limits.ts'
import {
  alreadyComplete,
  beyondLength,
  malformed,
  notPartialUpload,
  type Refusal,
  wrongLength,
  wrongOffset,
} from '../errors.ts'
import type { UploadRequest } from './upload-request.ts'

export type AppendDecision =
  /** `fatal`: the upload can no longer be completed and is to be removed. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly fatal: boolean }
  /** Repeats the response that the client may have missed. */
  | { readonly kind: 'replay' }
  /** `length`: of the whole upload, `null` where that is not known yet; `last`: nothing comes after it. */
  | {
      readonly kind: 'append'
      readonly offset: number
      readonly length: number | null
      readonly last: boolean
    }

export interface UploadProgress {
  readonly offset: number
  readonly length: number | null
  readonly committed: boolean
}

/** What to do with a request to append. */
export function decideAppend(
  request: UploadRequest,
  progress: UploadProgress,
  limits: Limits,
): AppendDecision {
  const { interop, offset, type } = request
  const last = request.complete ?? (interop.missingMeansComplete || null)
  if (interop.typeRequired && type !== 'application/partial-upload') return refuse(notPartialUpload())
  if (offset === null || last === null) {
    return refuse(malformed('An append needs Upload-Offset (an Integer) and Upload-Complete (a Boolean).'))
  }
  if (offset !== progress.offset) return refuse(wrongOffset(progress.offset, offset))
  if (progress.committed) return decideOnCompleted(request)
  return decideFitting({ ...request, offset, last }, progress.length, limits)
}

/** Replaying to an empty append loses nothing: what a lost response was to say is said. */
function decideOnCompleted({ contentLength, interop }: UploadRequest): AppendDecision {
  if (contentLength === 0) return { kind: 'replay' }
  const refusal = interop.completedProblem
    ? alreadyComplete()
    : wrongLength('The upload is already complete. Create a new upload.')
  return refuse(refusal)
}

function decideFitting(
  request: UploadRequest & { readonly offset: number; readonly last: boolean },
  known: number | null,
  limits: Limits,
): AppendDecision {
  const { offset, last, contentLength: content } = request
  const end = content === null ? null : offset + content
  const length = known ?? request.length ?? (last ? end : null)
  if (request.length !== null && request.length !== length) {
    return refuse(
      wrongLength(
        `Upload-Length ${request.length} differs from the ${length} bytes declared before. Send the same length.`,
      ),
    )
  }
  if (length !== null && length < offset) {
    return refuse(
      wrongLength(
        `Upload-Length ${length} is less than the ${offset} bytes that are stored. Send the whole length.`,
      ),
    )
  }
  // Without Content-Length, only the arrival of the content shows this, and the upload is void (draft -12, §4.4.2).
  if (length !== null && end !== null && end > length) return refuse(beyondLength(length), { fatal: true })
  if (length !== null && end !== null && last && end < length) {
    return refuse(
      wrongLength(
        `The upload has ${length} bytes, but this request would end it at ${end}. Send all remaining bytes or Upload-Complete: ?0.`,
      ),
    )
  }
  const broken = limitBroken(limits, { length: length ?? end, content, last: last || end === length })
  if (broken !== null) return refuse({ ...broken, final: false })
  return { kind: 'append', offset, length, last }
}

function refuse(refusal: Refusal, { fatal = false }: { readonly fatal?: boolean } = {}): AppendDecision {
  return { kind: 'refuse', refusal, fatal }
}
