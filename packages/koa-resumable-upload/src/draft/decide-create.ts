import { type Limits, limitBroken } from '../core/limits.ts'
import { malformed, type Refusal, wrongLength } from '../errors.ts'
import type { UploadRequest } from './upload-request.ts'

export type CreateDecision =
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** `length`: of the whole upload, `null` where that is not known yet. */
  | { readonly kind: 'create'; readonly length: number | null }

/** What to do with a request that begins an upload. */
export function decideCreate(request: UploadRequest, limits: Limits): CreateDecision {
  const { complete, contentLength: content, offset } = request
  if (offset !== null && offset > 0) {
    const detail = `Upload-Offset ${offset} belongs to an append, but this request creates an upload. Omit the field.`
    return { kind: 'refuse', refusal: malformed(detail) }
  }
  const length = request.length ?? (complete === true ? content : null)
  const contradiction =
    content === null || length === null ? null : contradictionIn(content, length, complete)
  if (contradiction !== null) return { kind: 'refuse', refusal: wrongLength(contradiction) }
  const last = complete === true || content === length
  const broken = limitBroken(limits, { length: length ?? content, content, last })
  return broken === null ? { kind: 'create', length } : { kind: 'refuse', refusal: broken }
}

function contradictionIn(content: number, length: number, complete: boolean | null): string | null {
  const beyond = content > length
  if (!beyond && (complete !== true || content === length)) return null
  return `Upload-Length is ${length}, but this request has ${content} bytes. Send the length of the whole file.`
}
